"""Constant folding: evaluate what literals decide, and drop the code that they rule out.

`not`, `and`, `or`, comparisons, `if`, loops over nothing, f-strings of literals, and arithmetic of two ints next to each other.
Floats are compared and printed, never computed. Nothing after a `return` is kept. A function stays as it was if folding would
take the only binding of a name that is still read, or its only `yield`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from pgolf.bundle.effects import is_pure
from pgolf.bundle.literals import (
    COMPARE,
    COMPUTE,
    ENDS,
    LARGEST,
    SINGLETONS,
    UNKNOWN,
    formatted,
    is_empty,
    literal,
    may_fold,
    truth_of,
    value_of,
)
from pgolf.bundle.names import copy_tree, scopes
from pgolf.bundle.program import Program
from pgolf.bundle.trees import Transformer, by_class, walk


def fold_constants(program: Program, statements: Iterable[ast.stmt] | None = None) -> None:
    """Fold some statements of the top level; all of them if None."""
    for node in program.body if statements is None else list(statements):
        kinds = program.facts(node).kinds
        if may_fold(kinds):
            folded = Folder().visit(node)
            program.replace(node, folded if isinstance(folded, list) else [folded])


class _Texts(Transformer):
    """Writes literals that stand in the braces of an f-string into its text: in braces, not every text can be printed."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        self.generic_visit(node)
        parts: list[ast.expr] = []
        for part in node.values:
            text = formatted(part)
            last = parts[-1] if parts else None
            if text is None:
                parts.append(part)
            elif isinstance(last, ast.Constant):
                parts[-1] = literal(str(last.value) + text, node)
            else:
                parts.append(literal(text, node))
        if len(parts) == 1 and isinstance(parts[0], ast.Constant):
            return parts[0]
        node.values = parts
        return node


class Folder(_Texts):
    """Folds one function or expression, innermost parts first. Patterns of `match` are left alone."""

    def visit_match_case(self, node: ast.match_case) -> ast.match_case:
        node.guard = self.visit(node.guard) if node.guard is not None else None
        node.body = self.visit_list(node, "body", node.body)
        return node

    # Expressions

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            node.operand = self.test(node.operand)
            truth = truth_of(node.operand)
            return node if truth is None else literal(not truth, node)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        stops = isinstance(node.op, ast.Or)
        kept: list[ast.expr] = []
        for place, value in enumerate(node.values):
            truth = truth_of(value)
            if truth is None or truth is stops or place == len(node.values) - 1:
                kept.append(value)
            if truth is stops:
                break
        if len(kept) == 1:
            return kept[0]
        node.values = kept
        return node

    def test(self, node: ast.expr) -> ast.expr:
        """Fold an expression of which only the truth matters."""
        if not isinstance(node, ast.BoolOp):
            return node
        decides = isinstance(node.op, ast.Or)
        values = [self.test(value) for value in node.values]
        for place, value in enumerate(values):
            if truth_of(value) is decides and all(is_pure(earlier) for earlier in values[:place]):
                return literal(decides, node)
        values = [value for value in values if truth_of(value) is not (not decides)]
        if len(values) < 2:
            return values[0] if values else literal(not decides, node)
        node.values = values
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        values = [value_of(item) for item in (node.left, *node.comparators)]
        if any(value is UNKNOWN for value in values):
            return node
        result = True
        for op, left, right in zip(node.ops, values, values[1:], strict=False):
            single = any(side is item for side in (left, right) for item in SINGLETONS)
            if isinstance(op, (ast.Is, ast.IsNot)) and not single:
                # Only None, True and False are the same object wherever they are written.
                return node
            try:
                result = result and bool(COMPARE[type(op)](left, right))
            except TypeError:
                return node
        return literal(result, node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        node.test = self.test(node.test)
        truth = truth_of(node.test)
        return node if truth is None else node.body if truth else node.orelse

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        left, right, compute = value_of(node.left), value_of(node.right), COMPUTE.get(type(node.op))
        if compute is None or type(left) is not int or type(right) is not int:
            return node
        if isinstance(node.op, (ast.FloorDiv, ast.Mod)) and right == 0:
            return node
        value = compute(left, right)
        return literal(value, node) if abs(value) < LARGEST else node

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        self.generic_visit(node)
        if is_empty(node.generators[0].iter):
            return ast.copy_location(ast.List(elts=[], ctx=ast.Load()), node)
        return node

    def visit_DictComp(self, node: ast.DictComp) -> ast.expr:
        self.generic_visit(node)
        if is_empty(node.generators[0].iter):
            return ast.copy_location(ast.Dict(keys=[], values=[]), node)
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        before = copy_tree(node)
        node.body = self.visit(node.body)
        return node if same_scope(before, node) else _Texts().visit(before)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        # `x[*()]` and `x[()]` differ: leave the tuple of an index as it is written.
        node.value = self.visit(node.value)
        if not isinstance(node.slice, ast.Tuple):
            node.slice = self.visit(node.slice)
        else:
            node.slice.elts = [self.visit(item) for item in node.slice.elts]
        return node

    # Statements

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        node.test = self.test(node.test)
        truth = truth_of(node.test)
        return node if truth is None else node.body if truth else node.orelse

    def visit_While(self, node: ast.While) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        node.test = self.test(node.test)
        return node.orelse if truth_of(node.test) is False else node

    def visit_For(self, node: ast.For) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        return node.orelse if is_empty(node.iter) else node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        """Fold a function's body, unless that would turn a local name into another one or end its being a generator."""
        if not may_fold(by_class(walk(node))):
            return node
        before = copy_tree(node)
        node.body = self.visit_list(node, "body", node.body)
        return node if same_scope(before, node) else _Texts().visit(before)

    def visit_list(self, node: ast.AST, name: str, items: list[Any]) -> list[Any]:
        """Fold a list of nodes, without `*()`; of statements, nothing after the first that leaves them is kept."""
        if not (items and isinstance(items[0], ast.stmt)):
            visited = super().visit_list(node, name, items)
            return [item for item in visited if not (isinstance(item, ast.Starred) and is_empty(item.value))]
        kept: list[ast.stmt] = []
        for statement in items:
            result = self.visit(statement)
            kept += result if isinstance(result, list) else [result]
            if kept and isinstance(kept[-1], ENDS):
                break
        return kept or ([ast.Pass()] if name in ("body", "finalbody") else [])


def same_scope(before: ast.AST, after: ast.AST) -> bool:
    """Does every name still read mean what it meant, and is every generator still one?

    Dropping a binding is harmless as long as nobody reads the name: otherwise the name would be looked up elsewhere.
    """
    function, changed = scopes(before)[0].children[-1], scopes(after)[0].children[-1]
    if function.yields != changed.yields:
        return False
    lost = set(function.bound) - set(changed.bound)
    read = {name for scope in changed.walk() for name in (*scope.reads, *scope.nonlocals)}
    kept_outer = (function.globals | function.nonlocals) == (changed.globals | changed.nonlocals)
    return kept_outer and not lost & read
