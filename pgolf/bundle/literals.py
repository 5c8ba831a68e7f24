"""Literals: the values that nodes of a syntax tree stand for, and the nodes that stand for values."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from pgolf.bundle.trees import Kinds

UNKNOWN = object()
"""The value of an expression that is not a literal."""

COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: lambda left, right: left == right,
    ast.NotEq: lambda left, right: left != right,
    ast.Lt: lambda left, right: left < right,
    ast.LtE: lambda left, right: left <= right,
    ast.Gt: lambda left, right: left > right,
    ast.GtE: lambda left, right: left >= right,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
    ast.Is: lambda left, right: left is right,
    ast.IsNot: lambda left, right: left is not right,
}
COMPUTE: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.FloorDiv: lambda left, right: left // right,
    ast.Mod: lambda left, right: left % right,
}
ENDS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
SINGLETONS = (None, True, False)
LARGEST = 2**63


def value_of(node: ast.expr) -> Any:
    """The value of a literal: None, bool, int, float, str, bytes or a tuple of these; `UNKNOWN` otherwise."""
    if isinstance(node, ast.Constant):
        return node.value if node.value is not Ellipsis else UNKNOWN
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        number: Any = node.operand.value
        return -number if type(number) in (int, float) else UNKNOWN
    if isinstance(node, ast.Tuple):
        values = tuple(value_of(item) for item in node.elts)
        return UNKNOWN if any(value is UNKNOWN for value in values) else values
    return UNKNOWN


def truth_of(node: ast.expr) -> bool | None:
    """True or False where the expression is a literal (or an empty dict), None where it may be either."""
    if isinstance(node, ast.Dict) and not node.keys:
        return False
    value = value_of(node)
    return None if value is UNKNOWN else bool(value)


def literal(value: Any, like: ast.AST) -> ast.expr:
    """A literal's node at the place of another node."""
    if type(value) in (int, float) and (value < 0 or str(value) == "-0.0"):
        node: ast.expr = ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=-value))
    else:
        node = ast.Constant(value=value)
    return ast.copy_location(node, like)


def is_empty(node: ast.expr) -> bool:
    """Is this an empty tuple or dict?"""
    return (isinstance(node, ast.Tuple) and not node.elts) or (isinstance(node, ast.Dict) and not node.keys)


def formatted(part: ast.expr) -> str | None:
    """The text of one part of an f-string, where it is a literal."""
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    value = value_of(part.value)
    spec = "" if part.format_spec is None else spec_text(part.format_spec)
    if value is UNKNOWN or isinstance(value, (bytes, tuple)) or spec is None or spec.endswith("n"):
        # `n` asks for the separators of a place that the program may choose.
        return None
    if part.conversion in (ord("r"), ord("a")):
        value = repr(value) if part.conversion == ord("r") else ascii(value)
    elif part.conversion == ord("s"):
        value = str(value)
    try:
        return format(value, spec)
    except (TypeError, ValueError):
        return None


def spec_text(node: ast.expr) -> str | None:
    """The text of a format specification without braces of its own."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr) and all(isinstance(item, ast.Constant) for item in node.values):
        return "".join(str(item.value) for item in node.values if isinstance(item, ast.Constant))
    return None


def may_fold(kinds: Kinds) -> bool:
    """Could `Folder` change something, where these are all nodes of a statement? The cheap test before the dear one.

    Every change starts where the text has a literal for an operand or a part, or a statement after the end of its block.
    """
    return any(starts(node) for kind, starts in _STARTS.items() for node in kinds.get(kind, ()))


def _are_decided(*nodes: ast.expr) -> bool:
    """Are these literals or empty containers?"""
    return all(truth_of(node) is not None for node in nodes)


def _has_text(node: ast.JoinedStr) -> bool:
    """Is there nothing but one text, or two that can be joined?"""
    texts = [isinstance(item, ast.Constant) for item in node.values]
    return texts == [True] or any(map(operator.and_, texts, texts[1:]))


def _is_left_early(node: Any) -> bool:
    """Does something follow the end of a block?"""
    blocks = (getattr(node, name, None) for name in ("body", "orelse", "finalbody"))
    return any(isinstance(item, ENDS) for block in blocks if isinstance(block, list) for item in block[:-1])


_STARTS: dict[type[ast.AST], Callable[[Any], bool]] = {
    ast.JoinedStr: _has_text,
    ast.FormattedValue: lambda node: _are_decided(node.value),
    ast.UnaryOp: lambda node: isinstance(node.op, ast.Not) and _are_decided(node.operand),
    ast.BoolOp: lambda node: any(_are_decided(value) for value in node.values),
    ast.Compare: lambda node: _are_decided(node.left, *node.comparators),
    ast.IfExp: lambda node: _are_decided(node.test),
    ast.BinOp: lambda node: _are_decided(node.left, node.right),
    ast.comprehension: lambda node: is_empty(node.iter),
    ast.Starred: lambda node: is_empty(node.value),
    ast.If: lambda node: _are_decided(node.test) or _is_left_early(node),
    ast.While: lambda node: _are_decided(node.test) or _is_left_early(node),
    ast.For: lambda node: is_empty(node.iter) or _is_left_early(node),
    **dict.fromkeys(
        (ast.FunctionDef, ast.With, ast.Try, ast.TryStar, ast.ExceptHandler, ast.match_case), _is_left_early
    ),
}
"""Class of node -> may folding start there?"""
