"""Handlers: which errors a program may end, so that it could tell that one is not raised any more."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable
from itertools import chain

from pgolf.bundle.literals import value_of
from pgolf.bundle.names import bound_name
from pgolf.bundle.source import last_name
from pgolf.bundle.trees import Nodes, walk

ABSENCE = frozenset(("AttributeError", "NameError", "UnboundLocalError", "Exception", "BaseException"))
"""What catches the error for a name or attribute that is not there."""
ASSERTIONS = frozenset(("AssertionError", "Exception", "BaseException"))
"""What catches the error of an assertion."""
NAMED = (ABSENCE | ASSERTIONS) - {"Exception", "BaseException"}
"""What a program that handles it expects to happen."""
SWALLOWING = frozenset(("Thread", "Timer", "submit", "add_done_callback", "ExitStack", "weakref", "atexit"))
"""What runs functions whose errors end with them, or in an object that one may ask: threads, futures, finalizers; by name."""
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

    A handler that always ends by raising the same error ends none; one that raises another ends those that it names itself.
    Where it catches all there are, it only words the error in another way: then the program is wrong, and stays wrong.
    """
    names, attributes = [node.id for node in nodes(ast.Name)], [node.attr for node in nodes(ast.Attribute)]
    mentioned = names.count("suppress") + attributes.count("suppress")
    quiet = [call for call in nodes(ast.Call) if last_name(call.func) == "suppress"] if mentioned else []
    everything = (
        any(_leaves(tried.finalbody) for tried in (*nodes(ast.Try), *nodes(ast.TryStar)))
        or any(_may_swallow(method) for method in nodes(ast.FunctionDef))
        or "__exit__" in names
        or not SWALLOWING.isdisjoint(attributes)
        or not SWALLOWING.isdisjoint(node.module for node in nodes(ast.ImportFrom))
        or any(alias.name in SWALLOWING or (alias.asname and alias.name == "suppress") for alias in nodes(ast.alias))
        or mentioned > len(quiet)
    )
    ended = chain.from_iterable(map(_ended, nodes(ast.ExceptHandler)))
    return [*([None] if everything else []), *ended, *chain.from_iterable(call.args for call in quiet)]


def _ended(handler: ast.ExceptHandler) -> list[ast.expr | None]:
    """The errors after which the program may go on."""
    last = handler.body[-1]
    if not isinstance(last, ast.Raise) or _leaves(handler.body):
        return [handler.type]
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    same = last.exc is None or last_name(last.exc) == handler.name
    return [kind for kind in kinds if kind is not None and last_name(kind) in NAMED and not same]


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
    """May an `__exit__` return something true, which ends the error, or is this a `__del__`, whose errors are ignored?"""
    if method.name != "__exit__":
        return method.name == "__del__"
    returned = [node.value for node in walk(method) if isinstance(node, ast.Return) and node.value is not None]
    return any(value_of(value) not in (None, False) for value in returned)
