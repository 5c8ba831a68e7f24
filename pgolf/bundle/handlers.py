"""Handlers: which errors a program may end, so that it could tell that one is not raised any more."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Iterator

from pgolf.bundle.literals import value_of
from pgolf.bundle.names import bound_name
from pgolf.bundle.source import last_name
from pgolf.bundle.trees import Nodes, walk

ABSENCE = frozenset(("AttributeError", "NameError", "UnboundLocalError", "Exception", "BaseException"))
"""What catches the error for a name or attribute that is not there."""
ASSERTIONS = frozenset(("AssertionError", "Exception", "BaseException"))
"""What catches the error of an assertion."""
ERRORS = frozenset(
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
)


def may_end(nodes: Nodes, errors: Collection[str], handling: Iterable[ast.expr | None] | None = None) -> bool:
    """May the program end one of these errors, wherever it is raised?

    Args:
        errors: the classes that catch it.
        handling: `handled` of all of the program, where the caller has it.
    """
    kinds = handled(nodes) if handling is None else handling
    return any(kind is None or _catches(nodes, kind, errors) for kind in kinds)


def handled(nodes: Nodes) -> list[ast.expr | None]:
    """What handlers and calls of `suppress` name; None for what ends any error.

    A handler that ends by raising only words the error in another way: then the program is wrong, and stays wrong.
    """
    everything = any(_leaves(tried.finalbody) for tried in (*nodes(ast.Try), *nodes(ast.TryStar))) or any(
        _may_swallow(method) for method in nodes(ast.FunctionDef) if method.name == "__exit__"
    )
    return [*([None] if everything else []), *_caught(nodes)]


def _caught(nodes: Nodes) -> Iterator[ast.expr | None]:
    for handler in nodes(ast.ExceptHandler):
        if not isinstance(handler.body[-1], ast.Raise):
            yield handler.type
    for call in nodes(ast.Call):
        if last_name(call.func) == "suppress":
            yield from call.args


def _catches(nodes: Nodes, kind: ast.expr, errors: Collection[str]) -> bool:
    """Is this one of the errors? A variable may hold any; a class of the program or of a library is another one."""
    if isinstance(kind, ast.Tuple):
        return any(_catches(nodes, one, errors) for one in kind.elts)
    if isinstance(kind, ast.Attribute):
        return kind.attr in errors
    if not isinstance(kind, ast.Name) or kind.id in errors:
        return True
    if kind.id in ERRORS:
        return False
    classes = any(bound_name(node) == kind.id for node in (*nodes(ast.alias), *nodes(ast.ClassDef)))
    return not classes or any(bound_name(node) == kind.id for node in (*nodes(ast.Name), *nodes(ast.arg)))


def _leaves(body: list[ast.stmt]) -> bool:
    """May a `finally` be left before its end, which ends the error?"""
    nodes = walk(ast.Module(body=body, type_ignores=[]))
    return any(isinstance(node, (ast.Return, ast.Break, ast.Continue)) for node in nodes)


def _may_swallow(method: ast.FunctionDef) -> bool:
    """May an `__exit__` return something true, which ends the error?"""
    returned = [node.value for node in walk(method) if isinstance(node, ast.Return) and node.value is not None]
    return any(value_of(value) not in (None, False) for value in returned)
