"""What a function's text says about its calls: which fit it, what they leave to a default, what they get back."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pgolf.bundle.names import FUNCTIONS, FunctionNode, Scope
from pgolf.bundle.source import last_name
from pgolf.bundle.trees import walk


@dataclass(frozen=True)
class Signature:
    """The parameters of a function that its calls give.

    Attributes:
        positional: those that may be given by position, in order.
        names: all that may be given by name.
        needed: those without a default.
        more: whether any further arguments by position, and by name, are taken.
    """

    positional: list[str]
    names: list[str]
    needed: set[str]
    defaults: dict[str, ast.expr]
    more: tuple[bool, bool]

    def takes(self, node: ast.Call) -> bool:
        """Does a call fit the parameters? Unknown numbers of arguments fit."""
        return fits(node, self.positional, self.names, self.needed, self.more)


def signature(function: FunctionNode, skipped: int) -> Signature:
    """What calls that do not give the first `skipped` parameters have to give."""
    arguments = function.args
    positional = [item.arg for item in (*arguments.posonlyargs, *arguments.args)][skipped:]
    names = [*positional, *(item.arg for item in arguments.kwonlyargs)]
    defaults = defaults_of(function)
    more = arguments.vararg is not None, arguments.kwarg is not None
    return Signature(positional, names, set(names).difference(defaults), defaults, more)


def fits(
    node: ast.Call, positional: list[str], names: list[str], needed: set[str], more: tuple[bool, bool] = (False, False)
) -> bool:
    """Does a call give each of the names that need it once, and no others?

    Args:
        positional: those of the names that may be given by position, in order.
        more: whether any further arguments by position, and by name, are taken.
    """
    if hides(node):
        return True
    keywords, placed = {str(item.arg) for item in node.keywords}, set(positional[: len(node.args)])
    return (
        (len(node.args) <= len(positional) or more[0])
        and (more[1] or keywords.issubset(names))
        and keywords.isdisjoint(placed)
        and needed <= keywords | placed
    )


def hides(node: ast.Call) -> bool:
    """Do stars hide what a call gives?"""
    return ast.Starred in [item.__class__ for item in node.args] or None in [item.arg for item in node.keywords]


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
    if isinstance(function, ast.Lambda) or falls_through(function.body):
        return ""
    last = function.body[-1]
    if isinstance(last, ast.Return) and not _returned(last, is_compile):
        return ""
    nodes = walk(function)
    names = [_returned(node, is_compile) for node in nodes if isinstance(node, ast.Return)]
    if len(set(names)) != 1 or sum([isinstance(node, FUNCTIONS) for node in nodes]) > 1:
        return ""
    once = [type(item) for item in scope.bound.get(names[0], [])] == [ast.arg]
    return names[0] if once else ""


def _returned(node: ast.Return, is_compile: Callable[[ast.Call], bool]) -> str:
    """The variable that a line returns, as it is or compiled."""
    value = node.value
    if isinstance(value, ast.Call) and value.args and is_compile(value):
        value = value.args[0]
    return value.id if isinstance(value, ast.Name) else ""


def calls_constructor(nodes: Iterable[ast.AST]) -> bool:
    """Is `x.__init__` used other than by `super()`? Then an object may be given its attributes again."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "__init__"
        and not (isinstance(node.value, ast.Call) and last_name(node.value.func) == "super")
        for node in nodes
    )
