"""What a function's text says about its calls: which fit it, what they leave to a default, what they get back."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from pgolf.bundle.names import FUNCTIONS, FunctionNode, Scope
from pgolf.bundle.source import last_name
from pgolf.bundle.trees import walk


def may_take(function: FunctionNode, node: ast.Call, skipped: int) -> bool:
    """Does a call fit the parameters? Unknown numbers of arguments fit."""
    arguments = function.args
    positional = [item.arg for item in (*arguments.posonlyargs, *arguments.args)][skipped:]
    names = [*positional, *(item.arg for item in arguments.kwonlyargs)]
    more = arguments.vararg is not None, arguments.kwarg is not None
    return fits(node, positional, names, set(names) - set(defaults_of(function)), more)


def fits(
    node: ast.Call, positional: list[str], names: list[str], needed: set[str], more: tuple[bool, bool] = (False, False)
) -> bool:
    """Does a call give each of the names that need it once, and no others?

    Args:
        positional: those of the names that may be given by position, in order.
        more: whether any further arguments by position, and by name, are taken.
    """
    if any(isinstance(item, ast.Starred) for item in node.args) or any(item.arg is None for item in node.keywords):
        return True
    keywords, placed = {str(item.arg) for item in node.keywords}, set(positional[: len(node.args)])
    return (
        (len(node.args) <= len(positional) or more[0])
        and (keywords <= set(names) or more[1])
        and not keywords & placed
        and needed <= keywords | placed
    )


def gives(node: ast.Call, positional: list[str], name: str) -> bool:
    """Does a call give a parameter?"""
    return name in positional[: len(node.args)] or any(keyword.arg == name for keyword in node.keywords)


def defaults_of(function: FunctionNode) -> dict[str, ast.expr]:
    """Parameter -> default."""
    arguments = function.args
    names = [item.arg for item in (*arguments.posonlyargs, *arguments.args)]
    found = dict(zip(names[len(names) - len(arguments.defaults) :], arguments.defaults, strict=True))
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return found | {item.arg: default for item, default in pairs if default is not None}


def falls_through(body: list[ast.stmt], ends: Callable[[ast.expr], bool] = lambda call: False) -> bool:
    """May a block be left at its end?

    Args:
        ends: whether an expression never gives a value, as `sys.exit()`.
    """
    last = body[-1]
    if isinstance(last, (ast.Return, ast.Raise)) or (isinstance(last, ast.Expr) and ends(last.value)):
        return False
    if isinstance(last, ast.If) and last.orelse:
        return falls_through(last.body, ends) or falls_through(last.orelse, ends)
    if isinstance(last, ast.Try) and not last.finalbody:
        blocks = [last.orelse or last.body, *(item.body for item in last.handlers)]
        return any(falls_through(block, ends) for block in blocks)
    return True


def handed_back(function: FunctionNode, scope: Scope, is_compile: Callable[[ast.Call], bool]) -> str:
    """The parameter that a function gives back whatever happens, as it is or compiled; an empty string if there is none."""
    nodes = walk(function)
    names: list[str] = []
    for node in nodes:
        value = node.value if isinstance(node, ast.Return) else None
        if isinstance(value, ast.Call) and value.args and is_compile(value):
            value = value.args[0]
        if isinstance(node, ast.Return):
            names.append(value.id if isinstance(value, ast.Name) else "")
    nested = sum(isinstance(node, FUNCTIONS) for node in nodes) > 1
    if nested or len(set(names)) != 1 or isinstance(function, ast.Lambda) or falls_through(function.body):
        return ""
    once = [type(item) for item in scope.bound.get(names[0], [])] == [ast.arg]
    return names[0] if once else ""


def calls_constructor(nodes: Iterable[ast.AST]) -> bool:
    """Is `x.__init__` used other than by `super()`? Then an object may be given its attributes again."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "__init__"
        and not (isinstance(node.value, ast.Call) and last_name(node.value.func) == "super")
        for node in nodes
    )
