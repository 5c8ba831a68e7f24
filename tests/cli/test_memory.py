"""What decided a build, and whether it is still the same."""

import ast
import os
from pathlib import Path

import pytest

from pgolf.bundle.pipeline import build
from pgolf.bundle.source import Module
from pgolf.cli.memory import Kept, Memory, read_again, states
from pgolf.cli.memory import hashes as hashes_of
from pgolf.cli.watch import stamp
from pgolf.manager import load_registry
from pgolf.recipe import load_recipe
from pgolf.resolve import resolve


def test_modules_are_read_again_only_where_they_changed(tmp_path):
    paths = {name: tmp_path / f"{name}.py" for name in "abc"}
    for name, path in paths.items():
        path.write_text(f"{name} = 1\n")
    kept = Kept("", (), {name: (path, "", "") for name, path in paths.items()}, None)
    first = read_again({}, kept)
    paths["b"].write_text("b = 2\n")
    paths["c"].write_text("c = (\n")
    second = read_again(first, kept)
    assert read_again({}, None) == {} and set(second) == {"a", "b"} and set(first) == {"a", "b", "c"}
    assert second["a"] is first["a"] and second["b"] is not first["b"] and second["b"].text == "b = 2\n"


def test_only_other_content_counts(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    before = stamp([path, tmp_path / "none"], {})
    os.utime(path, (1, 1))
    after = stamp([path], before)
    assert before != after and before[path][2] == after[path][2]
    assert stamp([path], after)[path] is after[path]


def test_a_tree_is_the_same_without_comments_and_docstrings(tmp_path):
    path = tmp_path / "a.py"
    hashes = []
    for text in (
        '"""A."""\ndef f(): return 1\n',
        '"""B."""\n# c\n\ndef f():\n    return 1\n',
        '"""A."""\ndef f(): return 2\n',
    ):
        path.write_text(text)
        hashes.append(hashes_of(path, {})[2])
    assert hashes[0] == hashes[1] != hashes[2]
    path.write_text("def (")
    assert hashes_of(path, {})[2] not in hashes
    assert hashes_of(tmp_path / "none", {}) == (tmp_path / "none", "unreadable", "unreadable")
    digest = hashes_of(path, {})[1]
    assert hashes_of(path, {path: (digest, "known")})[2] == "known" != hashes_of(path, {path: ("other", "known")})[2]


def module_of(name, text, *internal):
    found = Module(name, f"{name}.py", text, ast.parse(text))
    found.internal.update(internal)
    for statement in found.statements:
        statement.reached = True
    return found


def test_a_module_that_passed_is_asked_again_where_something_it_leads_to_has_changed():
    texts = {"a": ("import b", "b"), "b": ("class B:\n    def f(self): pass",), "c": ("x = 1",)}

    def after(**changed):
        return states([module_of(name, *changed.get(name, parts)) for name, parts in texts.items()])

    def changed(**parts):
        return {name for name, state in after(**parts).items() if state != before[name]}

    before = after()
    assert changed() == set()
    assert changed(b=("class B:\n    def f(self): return 2",)) == {"a", "b"}
    assert changed(c=("x = 2",)) == {"c"}
    assert changed(b=("class B:\n    def f(self, settings): pass",)) == {"a", "b", "c"}


def test_what_broke_a_rule_is_found_though_others_passed():
    good, bad = module_of("good", "X = 1"), module_of("bad", "def f():\n    global x\n    x = 1")
    memory = Memory(None, None, {})
    assert [finding.code for finding in memory.check([good, bad])] == ["PG304"]
    kept = Kept("", (), {}, None, {"good": memory.passed["good"]})
    assert [finding.code for finding in Memory(None, kept, {}).check([good, bad])] == ["PG304"]
    kept = Kept("", (), {}, None, memory.passed)
    assert Memory(None, kept, {}).check([good, bad]) == []


@pytest.mark.slow
def test_a_change_of_each_plugin_in_turn_gives_the_bytes_of_a_cold_build(tmp_path):
    resolved = resolve(load_recipe(Path(__file__).parents[2] / "submissions/baseline"), load_registry())
    copies: dict[str, Path] = {}

    def find(module):
        path = resolved.find_source(module)
        if path is not None and module not in copies:
            copies[module] = tmp_path / f"{module}.py" if path.name != "__init__.py" else path
            copies[module].write_bytes(path.read_bytes()) if copies[module] != path else None
        return copies.get(module) if path is not None else None

    memory, modules, changed = Memory(build, None, {}), {}, 0
    last = memory.build(resolved.entry, find, pack="plain")
    for name in [name for name in last.module_names if name.startswith("pgolf_plugins")]:
        modules = read_again(modules, memory.kept)
        before = copies[name].read_text()
        copies[name].write_text(with_a_line(before, name))
        memory = Memory(build, memory.kept, modules)
        now = memory.build(resolved.entry, find, pack="plain")
        assert not memory.reused and now.code == build(resolved.entry, find, pack="plain").code
        changed += now.code != last.code
        last = now
    assert changed > 5


def with_a_line(text, word):
    """A module whose first function that is no hook prints a word before all else that it does."""
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and not node.decorator_list]
    if functions:
        body = functions[0].body
        body.insert(1 if ast.get_docstring(functions[0]) else 0, ast.parse(f"print({word!r})").body[0])
    return ast.unparse(tree)
