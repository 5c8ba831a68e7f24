"""Folding that needs to know what names mean: builtins of literals, and comprehensions whose condition is decided."""

from __future__ import annotations

import ast
from typing import Any

from pgolf.bundle.specialize.constants_cells import Items, Literal, Several, Value
from pgolf.bundle.specialize.constants_places import Places
from pgolf.bundle.specialize.fold import UNKNOWN, Folder, literal, truth_of, value_of

EMPTY: dict[str, Any] = {"tuple": (), "any": False, "all": True, "sum": 0}
"""Builtin -> what it makes of something empty."""
LISTS = (ast.List, ast.ListComp)


class Tidy(Folder):
    """Folds one function of the program that was looked at."""

    def __init__(self, places: Places):
        self.places = places

    def visit_Call(self, node: ast.Call) -> ast.expr:
        changed = super().visit_Call(node)
        if not isinstance(changed, ast.Call) or not isinstance(changed.func, ast.Name) or changed.keywords:
            return changed
        value = called(changed.func.id, changed.args) if self.places.is_builtin(changed.func) else UNKNOWN
        return changed if value is UNKNOWN else _node(value, changed)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """`x in ()` is False."""
        changed = super().visit_Compare(node)
        if not isinstance(changed, ast.Compare) or len(changed.ops) != 1:
            return changed
        contained = isinstance(changed.ops[0], (ast.In, ast.NotIn)) and value_of(changed.comparators[0]) == ()
        if contained and self.places.is_plain(changed.left):
            return literal(isinstance(changed.ops[0], ast.NotIn), changed)
        return changed

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        changed = super().visit_ListComp(node)
        if isinstance(changed, ast.ListComp) and self.never_gives(changed):
            return ast.copy_location(ast.List(elts=[], ctx=ast.Load()), changed)
        return changed

    def never_gives(self, node: ast.ListComp | ast.GeneratorExp) -> bool:
        """Is a condition False, and does nobody notice that nothing is iterated over?"""
        return any(truth_of(test) is False for item in node.generators for test in item.ifs) and all(
            self.places.is_plain(item.iter) and _is_made(self.places.flow.values.get(item.iter))
            for item in node.generators
        )

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        self.generic_visit(node)
        node.ifs = [test for test in map(self.test, node.ifs) if truth_of(test) is not True]
        return node

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.expr:
        self.generic_visit(node)
        if self.never_gives(node) and self.places.is_consumed(node):
            return _node((), node)
        return node


def called(name: str, arguments: list[ast.expr]) -> Any:
    """The value of a builtin called with literals, or `UNKNOWN`. Floats are not touched."""
    values = [value_of(item) for item in arguments]
    if any(value is UNKNOWN for value in values):
        return UNKNOWN
    if len(values) == 1 and values[0] == ():
        return 0 if name == "len" else EMPTY.get(name, UNKNOWN)
    if name == "len" and len(values) == 1 and isinstance(values[0], (str, tuple, bytes)):
        return len(values[0])
    if name in ("max", "min") and len(values) > 1 and all(type(value) is int for value in values):
        return max(values) if name == "max" else min(values)
    return UNKNOWN


def _is_made(value: Value) -> bool:
    """A tuple or list of the program, which can be iterated over without anything else happening."""
    if isinstance(value, Items):
        return isinstance(value.key, tuple) and isinstance(value.key[0], LISTS)
    return isinstance(value, Several) or (isinstance(value, Literal) and isinstance(value.value, tuple))


def _node(value: Any, like: ast.AST) -> ast.expr:
    if value == () and isinstance(value, tuple):
        return ast.copy_location(ast.Tuple(elts=[], ctx=ast.Load()), like)
    return literal(value, like)
