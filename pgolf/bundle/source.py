"""Read modules without importing them: their top-level statements, what these declare and what they use."""

from __future__ import annotations

import ast
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from pgolf.bundle.fstrings import without_nested_texts
from pgolf.bundle.names import Resolved, copy_tree, reads_of, scopes
from pgolf.bundle.toplevel import functions_of, imports_of, optional_names, registrations
from pgolf.bundle.trees import below, parents, walk
from pgolf.bundle.typing_only import without_typing
from pgolf.errors import PgolfError

FindSource = Callable[[str], Path | None]

ENTRY = "__main__"
BEGIN = time.time()
PYTHON = (3, 11)
"""The oldest Python that must run a built file."""

BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
"""Fields of statements that hold statements, or what holds these."""
HOLDERS = frozenset(
    kind
    for kind in vars(ast).values()
    if isinstance(kind, type) and not {*BLOCKS}.isdisjoint(getattr(kind, "_fields", ()))
)
"""The classes with such a field."""

KEEPS_ANNOTATIONS = ("custom_op", "jit")
"""Decorators, by their last name, that read the annotations of the function below them."""


@dataclass(frozen=True)
class Binding:
    """What an imported name stands for: `module` itself where `name` is empty, else that name in it."""

    module: str
    name: str
    node: ast.stmt = field(compare=False)


@dataclass(eq=False)
class Statement:
    """One top-level statement: the unit of linking and of tree shaking."""

    module: Module
    index: int
    node: ast.stmt
    reached: bool = False

    @cached_property
    def bare(self) -> ast.stmt:
        """A copy without the annotations that nothing reads."""
        return strip_annotations(copy_tree(self.node))

    def take(self) -> tuple[ast.stmt, Resolved]:
        """`bare` with its `scoped` for who changes it: the next one who asks gets another copy."""
        taken = self.bare, self.scoped
        del self.bare, self.scoped
        return taken

    @cached_property
    def declares(self) -> tuple[str, ...]:
        return declared_names(self.node)

    @cached_property
    def optional(self) -> str:
        """The text of imports that may fail, by which two modules have the same; empty for any other statement."""
        return ast.unparse(self.node) if optional_names(self.node) else ""

    @cached_property
    def scoped(self) -> Resolved:
        """`scopes` of `bare`."""
        return scopes(self.bare)

    @cached_property
    def uses(self) -> frozenset[str]:
        return reads_of(self.scoped[0])

    @cached_property
    def uses_now(self) -> frozenset[str]:
        return reads_of(self.scoped[0], now=True)


@dataclass(eq=False)
class Module:
    """A parsed module. `imports` maps local names to what they stand for, internal and external alike."""

    name: str
    path: str
    text: str
    tree: ast.Module
    is_entry: bool = False
    statements: list[Statement] = field(default_factory=list)
    imports: dict[str, Binding] = field(default_factory=dict)
    internal: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.statements = [Statement(self, index, node) for index, node in enumerate(self.tree.body)]
        for node in self.tree.body:
            self.imports.update(import_bindings(node))

    @cached_property
    def declares(self) -> dict[str, Statement]:
        """The statement that declares each top-level name; the first where there are several."""
        table: dict[str, Statement] = {}
        for statement in self.statements:
            for name in statement.declares:
                table.setdefault(name, statement)
        return table

    @cached_property
    def registers(self) -> dict[str, list[Statement]]:
        """Name or key of an operator -> the statements that register something for it."""
        table: dict[str, list[Statement]] = {}
        owners = {statement.node: statement for statement in self.statements}
        for key, node in registrations(self.tree.body):
            table.setdefault(key, []).append(owners[node])
        return table

    @cached_property
    def scoped(self) -> Resolved:
        """`scopes` of the whole module."""
        return scopes(self.tree)

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """`parents` of the whole module."""
        return parents(self.tree)

    def prepare(self) -> None:
        """Find out now what a build will ask and what is the same in every build."""
        for statement in self.statements:
            _ = statement.uses, statement.uses_now
        _ = self.scoped, self.parents

    def reset(self) -> Module:
        """The module as it was before a build, with what was found out about its text."""
        self.internal.clear()
        for statement in self.statements:
            statement.reached = False
        return self

    def reached(self) -> Iterator[Statement]:
        return (statement for statement in self.statements if statement.reached)

    def place(self, node: ast.AST) -> str:
        """`path:line:column` of a node."""
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        return f"{self.path}:{line}:{column + 1}" if line else self.path

    def frame(self, node: ast.AST) -> str:
        """The node's first line with a caret below it."""
        lines = self.text.split("\n")
        line = getattr(node, "lineno", 0)
        if not 0 < line <= len(lines):
            return ""
        text, start = lines[line - 1], getattr(node, "col_offset", 0)
        end = getattr(node, "end_col_offset", start + 1) if getattr(node, "end_lineno", line) == line else len(text)
        return f"{line:5d} | {text}\n      | {' ' * start}{'^' * max(1, end - start)}"

    def finding(self, code: str, node: ast.AST, message: str, help: str = "") -> PgolfError:
        """An error at a node of this module, in the house format."""
        return PgolfError(code, message, where=self.place(node), hint=help, frame=self.frame(node))


def parse(text: str, path: str, compiled: bool = False) -> ast.Module:
    """Parse source for the oldest supported Python, without what is there for type checkers alone or prints in two ways.

    Args:
        compiled: whether Python is known to have compiled it.
    """
    try:
        if not compiled:
            compiles(text, path)
        return without_nested_texts(without_typing(ast.parse(text, path, feature_version=PYTHON)))
    except SyntaxError as error:
        message = f"this is not Python {PYTHON[0]}.{PYTHON[1]}: {error.msg}"
        raise PgolfError("PG301", message, where=f"{path}:{error.lineno}:{error.offset}") from error


def parsed(name: str, path: Path, text: str) -> Module:
    """A module of this text."""
    tree = parse(text, str(path), was_compiled(name, path))
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in blocks(tree.body):
        if isinstance(node, ast.ImportFrom) and node.level:
            make_absolute(node, package)
    return Module(name, str(path), text, tree)


def was_compiled(name: str, path: Path) -> bool:
    """Has this process imported a file, which has not changed since the process began?"""
    return getattr(sys.modules.get(name), "__file__", "") == str(path) and path.stat().st_mtime < BEGIN


def make_absolute(node: ast.ImportFrom, package: str) -> None:
    """Write out where a relative import of a module in this package leads (in place); one that leads out of it stays."""
    parts = package.split(".") if package else []
    if node.level <= len(parts):
        base = parts[: len(parts) - node.level + 1]
        node.module, node.level = ".".join([*base, *([node.module] if node.module else [])]), 0


def compiles(text: str, path: str) -> None:
    """Raise SyntaxError for what only the compiler objects to, such as `return` outside a function; run nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(text, path, "exec", dont_inherit=True)


def load(entry: str, find_source: FindSource, known: Mapping[str, Module] | None = None) -> dict[str, Module]:
    """The entry and every internal module its imports lead to, in post-order: a module comes after what it imports.

    Args:
        entry: the entry module's text.
        find_source: the file of an internal module; None for one that stays outside.
        known: modules by name, read for an earlier build that is over; used again where the file and its text are the same.
    """
    ordered: dict[str, Module] = {}
    seen: set[str] = set()
    find_source = cache(find_source)

    def enter(name: str, path: Path | None) -> None:
        if path is not None and name not in seen:
            seen.add(name)
            text, old = read(path), (known or {}).get(name)
            same = old is not None and (old.path, old.text) == (str(path), text)
            visit(old.reset() if old is not None and same else parsed(name, path, text))

    def visit(module: Module) -> None:
        for node in module.tree.body:
            for name in imported_modules(node):
                path = None if is_build_time(name) else find_source(name)
                if path is None:
                    continue
                module.internal.add(name)
                for package in packages(name):
                    enter(package, _file(package, find_source))
                enter(name, path)
        module.internal.update(name for name in all_imports(module.tree) if _file(name, find_source))
        ordered[module.name] = module

    visit(Module(ENTRY, "the entry module", entry, parse(entry, "the entry module"), is_entry=True))
    return ordered


def all_imports(tree: ast.Module) -> Iterator[str]:
    """Modules imported anywhere. PG302 refuses internal ones below the top level, and has to know them for that."""
    for node in blocks(tree.body):
        yield from imported_modules(node)


def blocks(body: list[ast.stmt]) -> list[Any]:
    """These statements and all below them, with the handlers and cases between."""
    waiting: list[Any] = [*body]
    for node in waiting:
        for name in BLOCKS if node.__class__ in HOLDERS else ():
            waiting += getattr(node, name, ())
    return waiting


def packages(module: str) -> list[str]:
    """The packages around a module, outermost first: importing it runs them too."""
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _file(name: str, find_source: FindSource) -> Path | None:
    """The file of a module, None where it has none or stays outside."""
    try:
        return None if is_build_time(name) else find_source(name)
    except PgolfError:
        return None


def read(path: Path) -> str:
    """Source text of a file."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PgolfError("PG001", f"cannot read the source: {error}", where=str(path)) from error


def is_build_time(module: str) -> bool:
    """Modules of pgolf that only plugins' hooks use; nothing in a built file may."""
    return (module == "pgolf" or module.startswith("pgolf.")) and not module.startswith("pgolf.runtime")


def imported_modules(node: ast.stmt) -> list[str]:
    """Module names that a statement imports from."""
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""] if not node.level else []
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return []


def import_bindings(node: ast.stmt) -> dict[str, Binding]:
    """Local name -> what it stands for, of one import statement or a `try` of imports."""
    if isinstance(node, ast.Try) and optional_names(node):
        return {name: binding for item in imports_of(node) for name, binding in import_bindings(item).items()}
    if isinstance(node, ast.ImportFrom):
        return {alias.asname or alias.name: Binding(node.module or "", alias.name, node) for alias in node.names}
    found: dict[str, Binding] = {}
    for alias in node.names if isinstance(node, ast.Import) else ():
        root = alias.name.partition(".")[0]
        found[alias.asname or root] = Binding(alias.name if alias.asname else root, "", node)
    return found


def declared_names(node: ast.stmt) -> tuple[str, ...]:
    """Top-level names that a statement binds, imports aside."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return (node.name,)
    if isinstance(node, ast.Assign):
        return tuple(item.id for target in node.targets for item in walk(target) if isinstance(item, ast.Name))
    if isinstance(node, (ast.AnnAssign, ast.AugAssign)) and isinstance(node.target, ast.Name):
        return (node.target.id,)
    if isinstance(node, ast.Try):
        return optional_names(node)
    if isinstance(node, ast.If):
        return tuple(item.name for item in functions_of(node))
    return ()


def last_name(node: ast.expr) -> str:
    """`c` of `a.b.c`, `c(...)` or `c`; empty for anything else."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def keeps_annotations(node: ast.AST) -> bool:
    """Is this a function whose decorator reads its annotations?"""
    return isinstance(node, ast.FunctionDef) and any(
        last_name(decorator) in KEEPS_ANNOTATIONS for decorator in node.decorator_list
    )


def strip_annotations(node: ast.stmt) -> ast.stmt:
    """The statement without annotations of functions and local variables (in place); those of fields may mean something."""
    for holder in blocks([node]):
        if isinstance(holder, ast.FunctionDef) and not keeps_annotations(holder):
            holder.returns = None
            for argument in below(holder.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
        for name in BLOCKS if holder.__class__ in HOLDERS and holder.__class__ is not ast.ClassDef else ():
            lines = getattr(holder, name, [])
            lines[:] = map(_without_annotation, lines)
    return _without_annotation(node)


def _without_annotation(node: ast.stmt) -> ast.stmt:
    """`x = 1` of `x: int = 1`."""
    if not isinstance(node, ast.AnnAssign) or node.value is None:
        return node
    return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)
