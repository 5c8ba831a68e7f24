"""The body of a function as statements of its caller: what becomes of its returns, and of its variables afterwards."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pgolf.bundle.names import FUNCTIONS
from pgolf.bundle.specialize.inline_order import is_literal
from pgolf.bundle.specialize.inline_places import binds
from pgolf.bundle.specialize.inline_view import View
from pgolf.bundle.specialize.propagate import pairs
from pgolf.bundle.trees import below

Finish = Callable[[ast.expr | None], list[ast.stmt]]
NUMBERS = ("bool", "float", "int", "len", "range", "repr", "str")
"""Builtins whose result, or each item of it, holds nothing that was given to them."""


def returns(node: ast.stmt) -> bool:
    """Is there a `return` in a statement?"""
    return any(isinstance(item, ast.Return) for item in _within(node))


def _within(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in below(node):
        if not isinstance(child, (*FUNCTIONS, ast.expr)):
            yield from _within(child)


def split(block: list[ast.stmt]) -> tuple[list[ast.stmt], ast.expr] | None:
    """The statements and the value of a body that returns at its end or not at all; None for any other."""
    if block and isinstance(block[-1], ast.Return):
        start, value = block[:-1], block[-1].value
    else:
        start, value = block, None
    if any(returns(item) for item in start):
        return None
    return start, value if value is not None else ast.Constant(value=None)


def structured(block: list[ast.stmt], finish: Finish, quiet: bool) -> list[ast.stmt] | None:
    """A body with `finish` in the place of each return and of its end; None where a return leaves a loop or the like.

    What follows an `if` that returns goes into its other branch.

    Args:
        quiet: what `finish` adds to the value raises nothing, so that it may stand in a `try`.
    """
    done: list[ast.stmt] = []
    for number, node in enumerate(block):
        rest = block[number + 1 :]
        if isinstance(node, ast.Return):
            # Lines that never run may make a name a variable of the function.
            return None if rest else done + finish(node.value)
        if not returns(node):
            done.append(node)
        elif isinstance(node, ast.If):
            changed = _branches(node, rest, finish, quiet)
            return None if changed is None else [*done, changed]
        elif isinstance(node, ast.Try) and quiet and not (rest or node.orelse or node.finalbody):
            attempt = _attempt(node, finish)
            return None if attempt is None else [*done, attempt]
        else:
            return None
    return done if binds(block) is None else done + finish(None)


def _branches(node: ast.If, rest: list[ast.stmt], finish: Finish, quiet: bool) -> ast.stmt | None:
    first, second = node.body, node.orelse
    if binds(first) is None:
        second = second + rest
    elif second and binds(second) is None:
        first = first + rest
    elif rest:
        return None
    body, orelse = structured(first, finish, quiet), structured(second, finish, quiet)
    if body is None or orelse is None:
        return None
    test = node.test
    if not body and orelse:
        test, body, orelse = ast.UnaryOp(op=ast.Not(), operand=test), orelse, []
    return ast.copy_location(ast.If(test=test, body=body or [ast.Pass()], orelse=orelse), node)


def _attempt(node: ast.Try, finish: Finish) -> ast.stmt | None:
    body = structured(node.body, finish, True)
    handlers = [(item, structured(item.body, finish, True)) for item in node.handlers]
    if body is None or any(block is None for _, block in handlers):
        return None
    caught = [
        ast.copy_location(ast.ExceptHandler(type=item.type, name=item.name, body=block or [ast.Pass()]), item)
        for item, block in handlers
    ]
    return ast.copy_location(ast.Try(body=body or [ast.Pass()], handlers=caught, orelse=[], finalbody=[]), node)


@dataclass(frozen=True)
class Weight:
    """Tells values that hold nothing, or nothing that would be gone otherwise.

    Attributes:
        held: attributes that keep what they hold as long as their object lives.
        numbers: builtins whose result holds nothing that was given to them.
        alive: names of what lives at least as long as the caller.
        imported: names of modules, which hold their attributes, and of what they hold.
    """

    held: frozenset[str]
    numbers: frozenset[str]
    alive: frozenset[str]
    imported: frozenset[str]

    def is_range(self, node: ast.expr) -> bool:
        """Are the items of a loop the numbers of a `range`?"""
        return isinstance(node, ast.Call) and getattr(node.func, "id", "") in self.numbers & {"range"}

    def is_number(self, node: ast.expr) -> bool:
        """Is a value a number or a text, so that another one computed from it is too? What lives on may be a tensor."""
        match node:
            case ast.BinOp():
                return self.is_number(node.left) and self.is_number(node.right)
            case ast.UnaryOp():
                return self.is_number(node.operand)
            case ast.Call():
                return self.is_light(node)
        return isinstance(node, ast.JoinedStr) or is_literal(node)

    def is_light(self, node: ast.expr) -> bool:
        """Is a value a number, a text, or an attribute of something that lives on?"""
        match node:
            case ast.Name():
                return node.id in self.alive | self.imported
            case ast.Attribute():
                path = node
                while isinstance(path.value, ast.Attribute):
                    path = path.value
                packaged = isinstance(path.value, ast.Name) and path.value.id in self.imported
                return packaged or (node.attr in self.held and self.is_light(node.value))
            case ast.Compare():
                return all(isinstance(item, (ast.Is, ast.IsNot, ast.In, ast.NotIn)) for item in node.ops)
            case ast.UnaryOp():
                return isinstance(node.op, ast.Not) or self.is_number(node.operand)
            case ast.BinOp():
                return self.is_number(node.left) and self.is_number(node.right)
            case ast.IfExp():
                return self.is_light(node.body) and self.is_light(node.orelse)
            case ast.Call():
                return isinstance(node.func, ast.Name) and node.func.id in self.numbers - {"range"}
        return isinstance(node, ast.JoinedStr) or is_literal(node)


def heavy(seen: View, given: set[str], gone: set[str], weight: Weight) -> list[str]:
    """Variables of a function that may keep something alive which nothing else does.

    Args:
        given: parameters whose values may do so.
        gone: parameters that do not become variables.
    """
    sources: dict[ast.AST, ast.expr] = {}
    for node in (item for line in seen.body for item in _within(line)):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            sources.update(pairs(node))
        elif isinstance(node, ast.For) and weight.is_range(node.iter):
            sources[node.target] = ast.Constant(value=0)

    def is_held(name: str, node: ast.AST) -> bool:
        # An exception's name ends with its handler, and a module holds what was imported from it.
        if isinstance(node, (ast.ExceptHandler, ast.alias)):
            return False
        if isinstance(node, ast.arg):
            return name in given
        return node not in sources or not weight.is_light(sources[node])

    bound = seen.scope.bound
    return [name for name in bound if name not in gone and any(is_held(name, node) for node in bound[name])]
