"""Link: the entry and every statement it reaches become one flat module; internal imports vanish.

A name that would mean two things in the flat module is changed for one of them (`meanings`).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from pgolf.bundle.meanings import BUILTINS, Meaning, Mention, flat_names, mentions, renamed
from pgolf.bundle.names import Resolved, reads_of, scopes
from pgolf.bundle.origins import mark
from pgolf.bundle.source import ENTRY, Binding, Module, Statement, blocks, declared_names
from pgolf.bundle.toplevel import functions_of, operator_keys, registration
from pgolf.errors import PgolfError, raise_all

IMPORTS = "imports"
"""Owner of the import statements of a flat module."""


@dataclass(frozen=True)
class Owned:
    """A statement of the flat module and the module it came from."""

    owner: str
    node: ast.stmt


@dataclass(frozen=True)
class Flat:
    """The program as one module: single-name imports first, then statements in the order in which they run.

    Attributes:
        scoped: `scopes` of statements that nobody has changed since; of others there is nothing.
    """

    statements: tuple[Owned, ...]
    scoped: Mapping[ast.stmt, Resolved] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def tree(self) -> ast.Module:
        """One module, imports of one source joined."""
        return ast.Module(body=[item.node for item in self.joined()], type_ignores=[])

    @cached_property
    def text(self) -> str:
        """The text. Passes leave new statements without a line, and `ast.unparse` looks at it."""
        for node in blocks(self.tree.body):
            if not hasattr(node, "lineno"):
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
            for other in registered_for(statement):
                mark(other)

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


def registered_for(statement: Statement) -> list[Statement]:
    """What the module registers for an operator that a statement defines."""
    table = statement.module.registers
    return [other for key in operator_keys(statement.node) for other in table.get(key, ())] if table else []


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


def link(modules: dict[str, Module]) -> Flat:
    """One flat module out of the reached statements.

    Raises:
        PgolfError: PG201 for two operators of one name, PG302 for definitions that need each other.
    """
    raise_all(same_operators(modules))
    found = list(mentions(modules))
    chosen = flat_names(found)
    names: dict[Statement, dict[str, str]] = {}
    for item in found:
        names.setdefault(item.statement, {})[item.name] = chosen[item.meaning]
    statements = [statement for module in modules.values() for statement in module.reached()]
    ordered: list[Owned] = []
    scoped: dict[ast.stmt, Resolved] = {}
    for statement in _without_twins(_in_order(modules, statements)):
        bare, resolved = statement.take()
        node = renamed(bare, names.get(statement, {}))
        scoped[node] = resolved if node is bare else scopes(node)
        mark(node, statement.module.name)
        ordered.append(Owned(statement.module.name, node))
    flat = Flat((*(Owned(IMPORTS, node) for node in _imports(found, chosen)), *ordered), scoped)
    check(flat, modules)
    return flat


def same_operators(modules: dict[str, Module]) -> list[PgolfError]:
    """PG201 for operators whose names, which torch keeps in one table, are the same."""
    first: dict[str, Statement] = {}
    found: list[PgolfError] = []
    for statement in [statement for module in modules.values() for statement in module.reached()]:
        for key in operator_keys(statement.node)[1:]:
            other = first.setdefault(key, statement)
            if other is not statement:
                message = f"the operator {key!r} is also defined in {other.module.place(other.node)}"
                help = "give it a name of its own: write the plugin's name before the colons"
                found.append(statement.module.finding("PG201", statement.node, message, help))
    return found


def _without_twins(statements: list[Statement]) -> list[Statement]:
    """The same imports that may fail, once."""
    first = {statement.optional: statement for statement in reversed(statements) if statement.optional}
    return [statement for statement in statements if first.get(statement.optional, statement) is statement]


def _imports(found: list[Mention], chosen: dict[Meaning, str]) -> list[ast.stmt]:
    """The import statement of each external name, sorted; `from` where it is written in two ways."""
    bindings: dict[Meaning, Binding] = {}
    for item in found:
        if item.meaning.kind == "external":
            binding = item.statement.module.imports[item.name]
            known = bindings.setdefault(item.meaning, binding)
            bindings[item.meaning] = max(known, binding, key=lambda one: bool(one.name))
    named = [(binding, chosen[meaning]) for meaning, binding in bindings.items()]
    return [
        _import(binding, name)
        for binding, name in sorted(named, key=lambda one: (bool(one[0].name), one[0].module, one[0].name, one[1]))
    ]


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
    is_definition = isinstance(statement.node, ast.ClassDef) or bool(functions_of(statement.node))
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
    """The stage's own check: no internal import is left, names are unique, and every used name exists.

    Raises:
        PgolfError: PG401.
    """
    nodes = [item.node for item in flat.statements]
    declared: set[str] = set()
    for name in chain.from_iterable(map(bound_names, nodes)):
        if name in declared:
            raise PgolfError("PG401", f"link declares {name!r} twice")
        declared.add(name)
    for item in blocks(nodes):
        if isinstance(item, ast.ImportFrom) and (item.level or item.module in modules):
            raise PgolfError("PG401", f"link left an internal import of {item.module}")
        if isinstance(item, ast.Import) and any(alias.name in modules for alias in item.names):
            raise PgolfError("PG401", f"link left an internal import: {ast.unparse(item)}")
    used = frozenset[str]().union(*(reads_of((flat.scoped.get(node) or scopes(node))[0]) for node in nodes))
    unknown = used - declared - BUILTINS
    if unknown:
        raise PgolfError("PG401", f"link left names without a definition: {', '.join(sorted(unknown))}")


def bound_names(node: ast.stmt) -> tuple[str, ...]:
    """Names that a top-level statement of a flat module binds, imports included.

    What is registered for an operator has a name that no variable has, for it must go where the operator goes.
    """
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return tuple(alias.asname or alias.name.partition(".")[0] for alias in node.names)
    if isinstance(node, ast.Expr):
        name = registration(node)[1]
        return (name,) if name else ()
    return declared_names(node)
