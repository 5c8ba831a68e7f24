"""Strip: drop what has no effect, before anything is renamed: docstrings, `pass`, and the assertions that nothing can notice.

An assertion goes like under `python -O`, but only where that cannot change what the program does: its test asks for nothing but
names, attributes, items, sizes and types, and no handler of the program may wait for the AssertionError.
"""

from __future__ import annotations

import ast
from typing import Any

from pgolf.bundle.handlers import ASSERTIONS, may_end
from pgolf.bundle.literals import UNKNOWN, value_of
from pgolf.bundle.minify.positional import settle_annotations, settle_arguments
from pgolf.bundle.names import Resolved, scopes
from pgolf.bundle.source import last_name
from pgolf.bundle.syntax import is_idle_line
from pgolf.bundle.trees import Transformer, by_class, walk

ASKS = frozenset(("isinstance", "issubclass", "len", "callable", "type", "abs", "id"))
"""Builtins that change nothing and use nothing up."""
ASKING_METHODS = frozenset(
    ("dim", "size", "numel", "stride", "is_contiguous", "startswith", "endswith", "is_floating_point", "item")
)
"""Methods that change nothing and use nothing up."""


def strip(tree: ast.Module) -> ast.Module:
    """The tree without what has no effect (changes it in place)."""
    return stripped(tree)[0]


def stripped(tree: ast.Module) -> tuple[ast.Module, Resolved]:
    """The tree that `strip` gives, and its scopes."""
    nodes = by_class(walk(tree))
    caught = may_end(nodes.__getitem__, ASSERTIONS)
    computed = {node.name for node in nodes[ast.FunctionDef] if node.decorator_list}
    idle = set() if caught else {node for node in nodes[ast.Assert] if _only_asks(node.test, computed)}
    tree = _Strip(idle).visit(tree)
    settle_annotations(tree)
    resolved = scopes(tree)
    settle_arguments(tree, resolved)
    return tree, resolved


class _Strip(Transformer):
    """Drops literal statements, `pass`, given assertions, the None of `return None`, and a `return` that ends a function."""

    def __init__(self, idle: set[ast.stmt]):
        self.idle = idle

    def visit_list(self, node: ast.AST, name: str, items: list[Any]) -> list[Any]:
        if not (items and isinstance(items[0], ast.stmt)):
            return super().visit_list(node, name, items)
        kept = [self.visit(item) for item in items if item not in self.idle and not is_idle_line(item)]
        if (
            isinstance(node, ast.FunctionDef)
            and len(kept) > 1
            and isinstance(kept[-1], ast.Return)
            and not kept[-1].value
        ):
            del kept[-1]
        required = name == "body" or (name == "finalbody" and not getattr(node, "handlers", None))
        return kept or ([ast.Expr(ast.Constant(0))] if required else [])

    def visit_Return(self, node: ast.Return) -> ast.Return:
        self.generic_visit(node)
        if isinstance(node.value, ast.Constant) and node.value.value is None:
            node.value = None
        return node


def _only_asks(test: ast.expr, computed: set[str]) -> bool:
    """Does a test change nothing and use nothing up, so that only its answer matters?

    Args:
        computed: functions under decorators; an attribute with such a name may be a property.
    """
    return all(_is_question(node, computed) for node in walk(test))


def _is_question(node: ast.AST, computed: set[str]) -> bool:
    if isinstance(node, ast.Call):
        asks = ASKING_METHODS if isinstance(node.func, ast.Attribute) else ASKS
        return last_name(node.func) in asks
    if isinstance(node, ast.Attribute):
        return node.attr not in computed
    if isinstance(node, ast.Compare):
        # `x in iterator` uses it up.
        searched = [
            side for op, side in zip(node.ops, node.comparators, strict=True) if isinstance(op, (ast.In, ast.NotIn))
        ]
        return all(isinstance(side, (ast.Dict, ast.Set)) or value_of(side) is not UNKNOWN for side in searched)
    return not isinstance(node, (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom, ast.comprehension, ast.Starred))
