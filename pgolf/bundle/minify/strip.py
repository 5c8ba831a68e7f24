"""Strip: drop what has no effect, before anything is renamed: docstrings, `pass`, and the assertions that nothing can notice.

An assertion goes like under `python -O`, but only where that cannot change what the program does: its test asks for nothing but
names, attributes, items, sizes and types, and no handler of the program may wait for the AssertionError.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping, Sequence
from typing import Any

from pgolf.bundle.literals import UNKNOWN, value_of
from pgolf.bundle.minify.peephole import peephole
from pgolf.bundle.minify.positional import settle_annotations, settle_arguments
from pgolf.bundle.source import last_name
from pgolf.bundle.trees import CHILDREN, Node, Transformer, by_class, walk

CATCHES_ASSERTIONS = ("AssertionError", "Exception", "BaseException")
OTHER_ERRORS = frozenset(
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
).difference(CATCHES_ASSERTIONS)
ASKS = frozenset(("isinstance", "issubclass", "len", "callable", "type", "abs", "id"))
"""Builtins that change nothing and use nothing up."""
ASKING_METHODS = frozenset(
    ("dim", "size", "numel", "stride", "is_contiguous", "startswith", "endswith", "is_floating_point", "item")
)
"""Methods that change nothing and use nothing up."""
Nodes = Mapping[type[ast.AST], Sequence[Any]]


def strip(tree: ast.Module) -> ast.Module:
    """The tree without what has no effect (changes it in place)."""
    nodes = by_class(walk(tree))
    caught = catches_assertions(nodes)
    computed = {node.name for node in nodes[ast.FunctionDef] if node.decorator_list}
    idle = set() if caught else {node for node in nodes[ast.Assert] if _only_asks(node.test, computed)}
    stripped = _Strip(idle).visit(tree)
    assert isinstance(stripped, ast.Module)
    settle_arguments(stripped)
    settle_annotations(stripped)
    peephole(stripped)
    return stripped


def is_literal_line(node: ast.stmt) -> bool:
    """A docstring, another literal on its own, or `pass`."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


class _Strip(Transformer):
    """Drops literal statements, `pass`, given assertions, and the None of `return None`."""

    def __init__(self, idle: set[ast.stmt]):
        self.idle = idle

    def block(self, body: list[ast.stmt], required: bool) -> list[ast.stmt]:
        kept = [self.visit(item) for item in body if item not in self.idle and not is_literal_line(item)]
        return kept or ([ast.Expr(ast.Constant(0))] if required else [])

    def generic_visit(self, node: Node) -> Node:
        for name in CHILDREN[node.__class__]:
            value = getattr(node, name, None)
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                required = name == "body" or (name == "finalbody" and not getattr(node, "handlers", None))
                setattr(node, name, self.block(value, required))
            elif isinstance(value, list):
                setattr(node, name, [self.visit(item) if isinstance(item, ast.AST) else item for item in value])
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node

    def visit_Return(self, node: ast.Return) -> ast.Return:
        self.generic_visit(node)
        if isinstance(node.value, ast.Constant) and node.value.value is None:
            node.value = None
        return node


def catches_assertions(nodes: Nodes) -> bool:
    """May a handler of the program end an AssertionError? One whose last statement raises only words it in another way.

    Wherever it stands: a function with an assertion may be called in many ways.
    """
    handlers = [node for node in nodes[ast.ExceptHandler] if not isinstance(node.body[-1], ast.Raise)]
    suppressed = [call for call in nodes[ast.Call] if last_name(call.func) == "suppress"]
    leaving = [
        node for tried in (*nodes[ast.Try], *nodes[ast.TryStar]) for line in tried.finalbody for node in walk(line)
    ]
    exits = [node for method in nodes[ast.FunctionDef] if method.name == "__exit__" for node in walk(method)]
    return (
        any(node.type is None or _may_name_assertions(node.type, nodes) for node in handlers)
        or any(_may_name_assertions(kind, nodes) for call in suppressed for kind in call.args)
        or any(isinstance(node, (ast.Return, ast.Break, ast.Continue)) for node in leaving)
        or any(isinstance(node, ast.Return) and node.value is not None for node in exits)
    )


def _may_name_assertions(kind: ast.expr, nodes: Nodes) -> bool:
    """May what a handler names catch an AssertionError? A variable may hold any class."""
    if isinstance(kind, ast.Tuple):
        return any(_may_name_assertions(one, nodes) for one in kind.elts)
    if isinstance(kind, ast.Attribute):
        return kind.attr in CATCHES_ASSERTIONS
    if not isinstance(kind, ast.Name) or kind.id in CATCHES_ASSERTIONS:
        return True
    bases = {node.name: [last_name(base) for base in node.bases] for node in nodes[ast.ClassDef]}
    imported = {alias.asname or alias.name for node in nodes[ast.ImportFrom] for alias in node.names}
    known = kind.id in imported or kind.id in bases or kind.id in OTHER_ERRORS
    return not known or "AssertionError" in bases.get(kind.id, ())


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
