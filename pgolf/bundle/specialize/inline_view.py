"""A function as the inliner sees it: its names, what closures capture, and why it may not be inlined."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pgolf.bundle.minify.members import binds_self
from pgolf.bundle.names import FUNCTIONS, IDENTIFIERS, Scope, bound_name, scopes
from pgolf.bundle.specialize.inline_order import Facts, is_literal
from pgolf.bundle.trees import walk

CONSUMERS = ("all", "any", "dict", "frozenset", "list", "max", "min", "set", "sorted", "sum", "tuple")
"""Builtins that have used up a generator expression by the time they return."""
FRAME = ("super", "__class__")
"""Names that mean something else in another function."""
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Global, ast.Nonlocal, ast.Match, ast.Import)


@dataclass(frozen=True, eq=False)
class View:
    """One function as it is now.

    Attributes:
        scope: its scope; `places` has the scope that each identifier in it is looked up in.
        names: every name in it, whatever it means.
        outer: names of the top level, and builtins, that it reads or binds.
        captured: its variables that something reads which may run after it, or after they are bound again.
        method: its `self` and its class, where it has them.
        rebound_within: a function in it binds variables of it.
    """

    function: ast.FunctionDef
    scope: Scope
    places: dict[ast.AST, Scope]
    names: frozenset[str]
    bound: frozenset[str]
    outer: frozenset[str]
    captured: frozenset[str]
    method: tuple[str, str]
    rebound_within: bool

    @property
    def body(self) -> list[ast.stmt]:
        """Its statements without `global`, the docstring and what else does nothing."""
        return _body(self.function)

    @property
    def value(self) -> ast.expr | None:
        """What an expression function returns."""
        return value_of_body(self.function)

    def reads(self, name: str) -> list[ast.expr]:
        """The reads of one of its variables, in source order within each scope."""
        return [
            node
            for inner in self.scope.walk()
            for node in inner.reads.get(name, [])
            if isinstance(node, ast.expr) and inner.resolve(name) is self.scope
        ]


def view(function: ast.FunctionDef, made: ast.ClassDef | None, known: Facts) -> View:
    """Look at a function once."""
    top, places = scopes(function)
    scope = next(child for child in top.children if child.node is function)
    inner = list(scope.walk())
    bound = frozenset(name for item in inner for name in item.bound)
    read = {name for item in inner for name in item.reads}
    outer = {name for item in inner for name in item.reads if item.resolve(name).kind == "module"}
    outer |= {name for item in inner for name in item.globals}
    lazy = any(isinstance(item.node, ast.GeneratorExp) for item in inner)
    consumed = _consumed(function, places, known) if lazy else set()
    captured = frozenset(_captured(scope, scope, consumed, False))
    rebound = any(item.nonlocals for item in inner)
    method = (function.args.args[0].arg, made.name) if made is not None and binds_self(function) else ("", "")
    return View(function, scope, places, bound | read | outer, bound, frozenset(outer), captured, method, rebound)


def value_of_body(function: ast.FunctionDef) -> ast.expr | None:
    """What a function returns whose body is `return value`."""
    body = _body(function)
    return body[0].value if len(body) == 1 and isinstance(body[0], ast.Return) else None


def _body(function: ast.FunctionDef) -> list[ast.stmt]:
    return [item for item in function.body if not _is_idle(item)]


def _is_idle(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Pass, ast.Global)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _consumed(function: ast.FunctionDef, places: dict[ast.AST, Scope], known: Facts) -> set[ast.AST]:
    """Generator expressions that a builtin uses up at once; `''.join(...)` does too."""
    return {
        node.args[0]
        for node in walk(function)
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.GeneratorExp)
        if (
            isinstance(node.func, ast.Name)
            and node.func.id in CONSUMERS
            and not known.count(node.func.id)
            and places[node.func].resolve(node.func.id).kind == "module"
        )
        or (isinstance(node.func, ast.Attribute) and node.func.attr == "join" and is_literal(node.func.value))
    }


def _captured(scope: Scope, owner: Scope, consumed: set[ast.AST], escapes: bool) -> Iterator[str]:
    if escapes:
        yield from (name for name in scope.reads if scope.resolve(name) is owner)
    for child in scope.children:
        lazy = isinstance(child.node, FUNCTIONS) or (
            isinstance(child.node, ast.GeneratorExp) and child.node not in consumed
        )
        yield from _captured(child, owner, consumed, escapes or lazy)


def refusal(seen: View) -> str:
    """Why a function may not be inlined anywhere; an empty string where nothing speaks against it."""
    function, arguments = seen.function, seen.function.args
    if function.decorator_list:
        return "a decorator"
    if arguments.posonlyargs or arguments.kwonlyargs or arguments.vararg or arguments.kwarg:
        return "its parameters"
    if not all(is_literal(item) for item in arguments.defaults):
        return "its defaults"
    if any(item.yields for item in seen.scope.walk()):
        return "a generator"
    if any(name in seen.names for name in FRAME) or seen.captured:
        return "a closure"
    nodes = [node for item in seen.body for node in walk(item)]
    if any(isinstance(node, (*DEFINITIONS, ast.Await, ast.AsyncFor, ast.AsyncWith)) for node in nodes):
        return "what it defines"
    return ""


def rename(seen: View, new: dict[tuple[bool, str], str]) -> None:
    """Write new names for variables; the keys say whether one is the function's own, or a comprehension's."""
    for node, scope in seen.places.items():
        name = node.id if isinstance(node, ast.Name) else bound_name(node) or ""
        owner = scope.resolve(name)
        changed = new.get((owner is seen.scope, name)) if owner.kind in ("function", "comprehension") else None
        if changed is None or (owner is not seen.scope and owner.kind == "function"):
            continue
        if isinstance(node, ast.alias):
            node.asname = changed
        else:
            setattr(node, IDENTIFIERS[type(node)], changed)
