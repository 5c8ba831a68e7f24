"""The shape of the code: tests named like modules, the bundler's layers, no import cycles, habits that may only grow rarer."""

import ast
import functools
from collections import Counter
from pathlib import Path

import pytest
from test_imports import SOURCES, imported, module_name, within

UNTESTED = Path(__file__).with_name("untested_modules.txt")
TEST_FILES = {path.name for path in Path(__file__).parent.rglob("test_*.py")}

# The layers of the bundler from the ground up: a module imports its own layer and those before it.
BUNDLER = (
    (
        "text and trees",
        (
            "trees",
            "names",
            "literals",
            "syntax",
            "toplevel",
            "typing_only",
            "source",
            "meanings",
            "origins",
            "fstrings",
        ),
    ),
    ("rules", ("view", "records", "rules")),
    ("link", ("link",)),
    ("the index and the effects", ("facts", "program", "handlers", "effects", "visibility")),
    ("passes", ("passes", "specialize", "verification", "manager")),
    ("minify", ("minify",)),
    ("pack", ("pack",)),
    ("pipeline", ("pipeline",)),
)
UPWARD = {("records", "program")}
"""Imports against the layers that there were when this was written. No line may come, and those that are gone leave."""

CYCLES = [
    ("pgolf.cli.build", "pgolf.cli.watch"),
    ("pgolf.verify.code_program", "pgolf.verify.evidence", "pgolf.verify.folder"),
]
"""Groups of modules that import each other, also from inside functions."""

TWO_LOOPS = {"bundle": 59, "verify": 16, "runtime": 6, "plugins": 2, "": 41}
"""Most comprehensions with two `for` in each package: a number here only goes down."""
GROWING = {"bundle": 5, "verify": 1, "runtime": 0, "plugins": 0, "": 0}


def layer(name):
    """The place of a module of the bundler among the layers."""
    inside = name.removeprefix("pgolf.bundle.")
    return next((place for place, (_, names) in enumerate(BUNDLER) if within(inside, names)), None)


def package(name):
    """The package whose limit holds for a module."""
    first, _, rest = name.partition(".")
    second = rest.partition(".")[0]
    return "plugins" if first == "pgolf_plugins" else second if second in TWO_LOOPS else ""


@functools.cache
def trees():
    """(module, its tree) of everything that pgolf and its plugins hold."""
    return [(module_name(path), ast.parse(path.read_text(encoding="utf-8"))) for path in SOURCES]


def has_tests(name):
    """`test_MODULE.py`, or `test_PACKAGE_MODULE.py` where several share a name; the examples have test_reference.py."""
    package, stem = name.split(".")[-2:]
    names = {f"test_{stem}.py", f"test_{package}_{stem}.py"}
    return bool(names & TEST_FILES) or name.startswith("pgolf.examples.")


def test_every_module_has_a_test_file_of_its_name(pytestconfig):
    """`--update-golden` takes off the list what has a test file now; what is new to it stays an error."""
    modules = {module_name(path) for path in SOURCES if path.name != "__init__.py"}
    untested = {name for name in modules if not has_tests(name)}
    listed = set(UNTESTED.read_text(encoding="utf-8").split())
    if pytestconfig.getoption("--update-golden"):
        listed &= untested
        UNTESTED.write_text("".join(f"{name}\n" for name in sorted(listed)), encoding="utf-8")
    assert not untested - listed, "write tests/.../test_MODULE.py for these"
    assert not listed - untested, f"these have a test file now, or are gone: take them off {UNTESTED.name}"


def test_no_two_test_files_have_one_name():
    """pytest imports them by their names, but for those in packages, and ends before the first test where two are equal."""
    paths = [path for path in Path(__file__).parent.rglob("test_*.py") if not path.with_name("__init__.py").exists()]
    names = Counter(path.name for path in paths)
    assert [name for name, count in names.items() if count > 1] == []


def bundler():
    """module of the bundler -> its imports from the bundler, without their common prefix."""
    found = {}
    for path in SOURCES:
        name = module_name(path)
        if within(name, ("pgolf.bundle",)) and path.name != "__init__.py":
            names = {other for other in imported(path) if within(other, ("pgolf.bundle",))}
            found[name.removeprefix("pgolf.bundle.")] = {other.removeprefix("pgolf.bundle.") for other in names}
    return found


def test_every_module_of_the_bundler_has_a_layer():
    assert [name for name in bundler() if layer(name) is None] == []


def test_the_bundler_imports_downwards():
    modules = bundler()
    pairs = [(name, other) for name, others in modules.items() for other in others]
    upward = {(name, other) for name, other in pairs if (layer(other) or 0) > (layer(name) or 0)}
    assert not upward - UPWARD
    gone = {pair for pair in UPWARD - upward if set(pair) <= set(modules)}
    assert not gone, "take these out of UPWARD"


def cycles(imports):
    """Groups of modules each of which reaches the others, by Tarjan's algorithm."""
    index, low, stack, groups = {}, {}, [], []

    def visit(name):
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(imports[name]):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            place = stack.index(name)
            group = tuple(sorted(stack[place:]))
            del stack[place:]
            if len(group) > 1:
                groups.append(group)

    for name in sorted(imports):
        if name not in index:
            visit(name)
    return groups


def test_no_import_cycles_also_not_inside_functions():
    imports = {module_name(path): set(imported(path)) for path in SOURCES}
    imports = {
        name: {other for other in others if other in imports and other != name} for name, others in imports.items()
    }
    found = cycles(imports)
    assert sorted(found) == CYCLES


def test_cycles_are_found():
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [("b", "c")]
    assert cycles({"a": {"b"}, "b": set()}) == []


def two_loops(tree):
    kinds = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    return [node for node in ast.walk(tree) if isinstance(node, kinds) and len(node.generators) > 1]


def growing(tree):
    """Loops over a list that their own body makes longer."""
    return [
        node for node in ast.walk(tree) if isinstance(node, ast.For) and any(_grows(part, node) for part in node.body)
    ]


def _grows(statement, loop):
    items = ast.unparse(loop.iter)
    for node in ast.walk(statement):
        if isinstance(node, ast.AugAssign) and ast.unparse(node.target) == items:
            return True
        method = node.func if isinstance(node, ast.Call) else None
        grows = isinstance(method, ast.Attribute) and method.attr in ("append", "extend", "insert")
        if grows and ast.unparse(method.value) == items:
            return True
    return False


@pytest.mark.parametrize(("habit", "limits"), [(two_loops, TWO_LOOPS), (growing, GROWING)])
def test_habits_grow_rarer(habit, limits):
    places, counts = [], Counter()
    for name, tree in trees():
        nodes = habit(tree)
        counts[package(name)] += len(nodes)
        places += [f"{name}:{node.lineno}" for node in nodes]
    over = {key: count for key, count in counts.items() if count > limits[key]}
    assert not over, f"write a plain loop instead: {places}"


def test_the_habits_are_seen():
    assert len(two_loops(ast.parse("[x for x in y for z in x]\n{x for x in y}"))) == 1
    text = "for x in todo:\n    if x:\n        todo.append(x)\nfor x in todo:\n    other.append(x)\n"
    assert [node.lineno for node in growing(ast.parse(text + "for x in todo:\n    todo += [x]\n"))] == [1, 6]
