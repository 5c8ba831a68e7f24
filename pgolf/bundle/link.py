"""Link: the entry and every statement it reaches become one flat module; internal imports vanish.

Names are never changed: a name that would mean two things in the flat module is refused (PG201).
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pgolf.bundle.names import global_reads
from pgolf.bundle.origins import mark
from pgolf.bundle.source import ENTRY, Binding, Module, Statement
from pgolf.bundle.trees import walk
from pgolf.errors import PgolfError, raise_all

IMPORTS = "imports"
"""Owner of the import statements of a flat module."""

BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__"}


@dataclass(frozen=True)
class Owned:
    """A statement of the flat module and the module it came from."""

    owner: str
    node: ast.stmt


@dataclass(frozen=True)
class Flat:
    """The program as one module: single-name imports first, then statements in the order in which they run."""

    statements: tuple[Owned, ...]

    @cached_property
    def tree(self) -> ast.Module:
        """One module, imports of one source joined."""
        return ast.Module(body=[item.node for item in self.joined()], type_ignores=[])

    @cached_property
    def text(self) -> str:
        """The text. Passes leave new statements without a line, and `ast.unparse` looks at it."""
        for node in walk(self.tree):
            if isinstance(node, ast.stmt) and not hasattr(node, "lineno"):
                node.lineno = 0
        return ast.unparse(self.tree) + "\n"

    def joined(self) -> list[Owned]:
        """The statements with neighbouring imports of one source made one statement."""
        joined: list[Owned] = []
        for item in self.statements:
            last = joined[-1].node if joined else None
            if isinstance(item.node, ast.Import) and isinstance(last, ast.Import):
                joined[-1] = Owned(IMPORTS, ast.Import(names=[*last.names, *item.node.names]))
            elif (
                isinstance(item.node, ast.ImportFrom)
                and isinstance(last, ast.ImportFrom)
                and last.module == item.node.module
            ):
                names = [*last.names, *item.node.names]
                joined[-1] = Owned(IMPORTS, ast.ImportFrom(module=last.module, names=names, level=0))
            else:
                joined.append(item)
        return joined


def reach(modules: dict[str, Module]) -> None:
    """Mark every top-level statement that the entry needs.

    Raises:
        PgolfError: PG202, where an internal import names nothing at the top level of its module.
    """
    queue: list[tuple[Module, Statement]] = []

    def mark(statement: Statement) -> None:
        if not statement.reached:
            statement.reached = True
            queue.append((statement.module, statement))

    for statement in modules[ENTRY].statements:
        if not statement.declares and not isinstance(statement.node, (ast.Import, ast.ImportFrom, ast.Expr)):
            mark(statement)
    while queue:
        module, statement = queue.pop()
        for name in sorted(statement.uses):
            if name in module.declares:
                mark(module.declares[name])
            elif name in module.imports and module.imports[name].name and module.imports[name].module in modules:
                mark(target(modules, module, name))


def target(modules: dict[str, Module], module: Module, name: str) -> Statement:
    """The statement that an internal import leads to."""
    binding = module.imports[name]
    source = modules[binding.module]
    found = source.declares.get(binding.name)
    if found is None:
        raise module.finding(
            "PG202",
            binding.node,
            f"{binding.module} has no top-level statement that declares {binding.name or name!r}",
            f"import it from the module that defines it; {source.path} does not",
        )
    return found


def identity(module: Module, name: str) -> tuple[str, str, str] | None:
    """What a global name means in a module: ("declared" | "external" | "builtin", where, name), None if unknown."""
    if name in module.declares:
        return ("declared", module.name, name)
    binding = module.imports.get(name)
    if binding is not None:
        kind = "declared" if binding.module in module.internal else "external"
        return (kind, binding.module, binding.name)
    return ("builtin", "", name) if name in BUILTINS else None


def meanings(modules: dict[str, Module]) -> Iterator[tuple[str, tuple[str, str, str], Statement]]:
    """Every (name, meaning, statement) of the reached statements, declarations first."""
    for module in modules.values():
        for statement in module.reached():
            for name in statement.declares:
                yield name, ("declared", module.name, name), statement
    for module in modules.values():
        for statement in module.reached():
            for name in sorted(statement.uses):
                meaning = identity(module, name)
                if meaning is not None:
                    yield name, meaning, statement


def clashes(modules: dict[str, Module]) -> list[PgolfError]:
    """PG201 for every name that the flat module could not keep apart."""
    table: dict[str, tuple[tuple[str, str, str], Statement]] = {}
    found: list[PgolfError] = []
    for name, meaning, statement in meanings(modules):
        first, other = table.setdefault(name, (meaning, statement))
        if first == meaning:
            continue
        help = "rename one of them: bundled names are unique over the whole program"
        if first[0] == meaning[0] == "external":
            help = "import it in one and the same way everywhere"
        message = f"{name!r} is {_describe(meaning)} here and {_describe(first)} in {other.module.place(other.node)}"
        found.append(statement.module.finding("PG201", statement.node, message, help))
    return found


def _describe(meaning: tuple[str, str, str]) -> str:
    kind, where, name = meaning
    if kind == "declared":
        return f"declared by {where}"
    return f"imported as {where}.{name}".rstrip(".") if kind == "external" else "a builtin"


def link(modules: dict[str, Module]) -> Flat:
    """One flat module out of the reached statements.

    Raises:
        PgolfError: PG201 for clashing names, PG302 for definitions that need each other.
    """
    raise_all(clashes(modules))
    imports: dict[tuple[str, str, str], ast.stmt] = {}
    for name, meaning, statement in meanings(modules):
        if meaning[0] == "external":
            imports[meaning[1], meaning[2], name] = _import(statement.module.imports[name], name)
    statements = [statement for module in modules.values() for statement in module.reached()]
    for item in statements:
        mark(item.bare, item.module.name)
    ordered = [Owned(item.module.name, item.bare) for item in _in_order(modules, statements)]
    flat = Flat((*(Owned(IMPORTS, node) for _, node in sorted(imports.items(), key=_import_order)), *ordered))
    check(flat, modules)
    return flat


def _import_order(item: tuple[tuple[str, str, str], ast.stmt]) -> tuple[bool, str, str, str]:
    (module, attribute, name), node = item
    return (isinstance(node, ast.ImportFrom), module, attribute, name)


def _import(binding: Binding, name: str) -> ast.stmt:
    """The import statement of one external name."""
    if binding.name:
        alias = ast.alias(name=binding.name, asname=None if binding.name == name else name)
        return ast.ImportFrom(module=binding.module, names=[alias], level=0)
    return ast.Import(names=[ast.alias(name=binding.module, asname=None if binding.module == name else name)])


def _in_order(modules: dict[str, Module], statements: list[Statement]) -> list[Statement]:
    """Statements so that whatever runs at definition time finds its names defined; otherwise the given order."""
    ordered: list[Statement] = []
    state: dict[Statement, bool] = {}

    def visit(statement: Statement) -> None:
        if state.get(statement):
            return
        if statement in state:
            help = "move what both need into a third module"
            message = "this definition needs one that needs it, so neither can come first"
            raise statement.module.finding("PG302", statement.node, message, help)
        state[statement] = False
        for needed in _needed_now(modules, statement):
            visit(needed)
        state[statement] = True
        ordered.append(statement)

    for statement in statements:
        visit(statement)
    return ordered


def _needed_now(modules: dict[str, Module], statement: Statement) -> list[Statement]:
    """Reached statements whose names `statement` reads while it runs, itself excluded."""
    is_definition = isinstance(statement.node, (ast.FunctionDef, ast.ClassDef))
    found: list[Statement] = []
    queue = [statement]
    while queue:
        current = queue.pop()
        # A constant may call what it names, so everything below has to be there too.
        names = current.uses_now if is_definition else current.uses
        for name in sorted(names):
            module, needed = current.module, None
            if name in module.declares:
                needed = module.declares[name]
            elif name in module.imports and module.imports[name].module in module.internal:
                needed = target(modules, module, name)
            if needed is not None and needed is not statement and needed not in found:
                found.append(needed)
                if not is_definition:
                    queue.append(needed)
    return sorted(found, key=lambda item: (list(modules).index(item.module.name), item.index))


def check(flat: Flat, modules: dict[str, Module]) -> None:
    """The stage's own check: no internal import is left, names are unique, every used name exists, and it parses.

    Raises:
        PgolfError: PG401.
    """
    tree = ast.parse(flat.text)
    declared: set[str] = set()
    for node in tree.body:
        for name in bound_names(node):
            if name in declared:
                raise PgolfError("PG401", f"link declares {name!r} twice")
            declared.add(name)
    for item in walk(tree):
        if isinstance(item, ast.ImportFrom) and (item.level or item.module in modules):
            raise PgolfError("PG401", f"link left an internal import of {item.module}")
        if isinstance(item, ast.Import) and any(alias.name in modules for alias in item.names):
            raise PgolfError("PG401", f"link left an internal import: {ast.unparse(item)}")
    unknown = global_reads(tree) - declared - BUILTINS
    if unknown:
        raise PgolfError("PG401", f"link left names without a definition: {', '.join(sorted(unknown))}")


def bound_names(node: ast.stmt) -> tuple[str, ...]:
    """Names that a top-level statement of a flat module binds, imports included."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return tuple(alias.asname or alias.name.partition(".")[0] for alias in node.names)
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return (node.name,)
    if isinstance(node, ast.Assign):
        return tuple(item.id for target in node.targets for item in walk(target) if isinstance(item, ast.Name))
    return ()
