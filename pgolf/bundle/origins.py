"""Which module each part of a program came from, also where passes wrote it out inside statements of other modules.

In the trees after `link`, `col_offset` is not a column but the name of the module that the node came from: whoever copies a
node, or puts another in its place, hands that on together with the line. A node without a name has that of the node above.
"""

from __future__ import annotations

import ast
from array import array
from collections.abc import Sequence
from itertools import groupby

from pgolf.bundle.trees import below, walk


def mark(root: ast.AST, module: str) -> None:
    """Say of a statement and all below it which module it is of."""
    for node in walk(root):
        if node._attributes:
            node.col_offset = module  # type: ignore[attr-defined]


def origin(node: ast.AST | None, above: str) -> str:
    """The module of a node; `above` is that of the node above it."""
    found = getattr(node, "col_offset", above)
    return found if isinstance(found, str) and found else above


def is_mixed(statement: ast.stmt) -> bool:
    """Did passes write parts of several modules into a top-level statement?"""
    own = origin(statement, "")
    return any(origin(node, own) != own for node in walk(statement))


def hand_on(marked: ast.Module, other: ast.Module) -> None:
    """Mark the nodes of `other`, what a parser made of the text of `marked`, as their counterparts are.

    Where the shapes differ (a negative number is another node for a parser) the mark of the node above goes on.
    """
    waiting: list[tuple[ast.AST | None, ast.AST, str]] = []
    for statement, counterpart in zip(marked.body, other.body, strict=True):
        if is_mixed(statement):
            waiting.append((statement, counterpart, ""))
        else:
            counterpart.col_offset = origin(statement, "")  # type: ignore[assignment]
    for old, new, above in waiting:
        module = origin(old, above)
        if new._attributes:
            new.col_offset = module  # type: ignore[attr-defined]
        inner = below(new)
        counterparts: Sequence[ast.AST | None] = below(old) if old is not None and type(old) is type(new) else ()
        if len(counterparts) != len(inner):
            counterparts = [None] * len(inner)
        waiting += [(before, after, module) for before, after in zip(counterparts, inner, strict=True)]


def pieces(text: str, tree: ast.Module, marked: ast.Module, owners: Sequence[str]) -> list[tuple[str, str]]:
    """(module, piece of the text), in the order of the text.

    Args:
        text: the program.
        tree: what a parser makes of it, with columns.
        marked: the same tree under other names, with modules in place of columns.
        owners: of each top-level statement, for what has no mark.
    """
    data = text.encode()  # columns count bytes
    starts = [0]
    for line in data.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    names = [""]
    paint = array("i", [0]) * len(data)
    firsts = [_start(node, starts) for node in tree.body]
    for node, old, owner, first, end in zip(
        tree.body, marked.body, owners, firsts, [*firsts[1:], len(data)], strict=True
    ):
        _fill(paint, first, end, _number(names, origin(old, owner)))
        if is_mixed(old):
            _paint_below(paint, node, old, origin(old, owner), starts, names)
    return _runs(data, paint, names)


def _start(node: ast.stmt, starts: Sequence[int]) -> int:
    """Where a top-level statement starts; one with decorators starts its line."""
    decorators = node.decorator_list if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else []
    line = min([node.lineno, *(item.lineno for item in decorators)])
    return starts[line - 1] + (node.col_offset if line == node.lineno else 0)


def _paint_below(
    paint: array[int], node: ast.AST, marked: ast.AST, module: str, starts: Sequence[int], names: list[str]
) -> None:
    """Fill the ranges of the nodes below one that came from other modules, outer ones first."""
    waiting = [(node, marked, module)]
    for new, old, above in waiting:
        own = origin(old, above) if new._attributes else above
        if own != above:
            assert isinstance(new, (ast.expr, ast.stmt, ast.arg, ast.keyword, ast.alias, ast.excepthandler))
            first = starts[new.lineno - 1] + new.col_offset
            _fill(paint, first, starts[(new.end_lineno or 0) - 1] + (new.end_col_offset or 0), _number(names, own))
        waiting += [(after, before, own) for after, before in zip(below(new), below(old), strict=True)]


def _number(names: list[str], name: str) -> int:
    if name not in names:
        names.append(name)
    return names.index(name)


def _fill(paint: array[int], start: int, end: int, number: int) -> None:
    paint[start:end] = array("i", [number]) * (end - start)


def _runs(data: bytes, paint: Sequence[int], names: Sequence[str]) -> list[tuple[str, str]]:
    found, place = [], 0
    for number, run in groupby(paint):
        length = sum(1 for _ in run)
        found.append((names[number], data[place : place + length].decode()))
        place += length
    return found
