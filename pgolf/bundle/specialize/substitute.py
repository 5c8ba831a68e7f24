"""Substitute: fields of the two records that the entry builds become literals, and what they decide is folded.

`settings.x` becomes the literal that the entry's `Settings(...)` gives; `program.x` becomes one where the entry's
`Program(...)` gives None or an empty tuple, and a name where it gives a function of the program. Rule PG317 keeps both
names for these records alone.
"""

from __future__ import annotations

import ast
from functools import cached_property

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.literals import may_fold
from pgolf.bundle.names import copy_tree, scopes
from pgolf.bundle.specialize.fold import SINGLETONS, Folder, is_empty, literal, spec_text, value_of
from pgolf.bundle.specialize.propagate import propagate
from pgolf.bundle.specialize.records import RECORDS, Facts, facts, fields, forget, record_of
from pgolf.bundle.trees import Transformer, walk


def substitute(flat: Flat) -> tuple[Flat, Facts]:
    """A copy of the program with its settings as literals, and what was put in."""
    copied = Flat(tuple(Owned(item.owner, copy_tree(item.node)) for item in flat.statements))
    propagate(ast.Module(body=[item.node for item in copied.statements], type_ignores=[]))
    known = facts(copied)
    statements = tuple(Owned(item.owner, _specialized(item.node, known)) for item in copied.statements)
    if fields(copied, RECORDS["settings"]):
        forget(ast.Module(body=[item.node for item in statements], type_ignores=[]), "settings")
    return Flat(statements), known


def _specialized(node: ast.stmt, known: Facts) -> ast.stmt:
    """One top-level statement; most have nothing to put in or to fold."""
    nodes = walk(node)
    if not any(isinstance(item, ast.Attribute) and record_of(item.value) for item in nodes) and not may_fold(nodes):
        return node
    changed = _Substitute(known, node).visit(copy_tree(node))
    assert isinstance(changed, ast.stmt)
    return changed


class _Substitute(Folder):
    """Puts the literals in while folding. Inside an f-string a text is put in only where it dissolves.

    A function is put in where no scope of the statement binds its name. It is what the field holds, because a top-level name
    is bound once (rule PG304), and all of them are by the time the main block runs.
    """

    def __init__(self, known: Facts, statement: ast.stmt):
        self.known, self.statement = known, statement
        self.around: list[ast.AST] = [statement]
        self.in_braces = False
        self.compared: list[ast.expr] = []

    @cached_property
    def shadowed(self) -> set[str]:
        """Variables of the statement's functions and classes, as they were before anything was folded."""
        top, _ = scopes(self.statement)
        return {name for scope in top.walk() if scope is not top for name in scope.bound}

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        value = self.known.literals.get(record_of(node.value), {}).get(node.attr)
        if value is None or not isinstance(node.ctx, ast.Load):
            return node
        if isinstance(value, ast.Name) and value.id in self.shadowed:
            return node
        if self.in_braces and not isinstance(value_of(value), (bool, int, float)):
            return node
        if node in self.compared and not any(value_of(value) is single for single in SINGLETONS):
            return node
        return ast.copy_location(copy_tree(value), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        self.around.append(node)
        changed = super().visit_FunctionDef(node)
        self.around.pop()
        return changed

    def visit_For(self, node: ast.For) -> ast.stmt | list[ast.stmt]:
        """`for tap in program.taps: tap(x)` is `f(x)` where the field holds `(f,)`."""
        value = self.single_of(node.iter)
        if value is not None and isinstance(node.target, ast.Name) and self.runs_once(node, node.target):
            for item in node.body:
                _Rename(node.target.id, value.id).visit(item)
            return self.block(node.body)
        return super().visit_For(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """`tuple(x for y in ())` is `()`, where `tuple` is the builtin."""
        changed = super().visit_Call(node)
        inner = node.args[0] if len(node.args) == 1 and not node.keywords else None
        builtin = isinstance(node.func, ast.Name) and node.func.id == "tuple" not in self.shadowed | self.known.declared
        if builtin and isinstance(inner, ast.GeneratorExp) and is_empty(inner.generators[0].iter):
            return ast.copy_location(ast.Tuple(elts=[], ctx=ast.Load()), node)
        return changed

    def single_of(self, node: ast.expr) -> ast.Name | None:
        if isinstance(node, ast.Attribute) and record_of(node.value) == "program":
            value = self.known.single.get(node.attr)
            return value if value is not None and value.id not in self.shadowed else None
        return None

    def runs_once(self, node: ast.For, target: ast.Name) -> bool:
        """Is the body all there is to the loop, and the only place that names its variable?"""
        function = self.around[-1]
        leaves = any(isinstance(item, (ast.Break, ast.Continue)) for item in walk(node))
        named = [item for item in walk(function) if isinstance(item, ast.Name) and item.id == target.id]
        inside = [item for part in node.body for item in walk(part) if isinstance(item, ast.Name)]
        reads = [item for item in inside if item.id == target.id and isinstance(item.ctx, ast.Load)]
        parameters = {item.arg for item in walk(function) if isinstance(item, ast.arg)}
        return not leaves and not node.orelse and len(named) == len(reads) + 1 and target.id not in parameters

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.expr:
        spec = node.format_spec
        whole = isinstance(node.value, ast.Attribute) and (spec is None or spec_text(spec) is not None)
        before, self.in_braces = self.in_braces, not whole
        node.value = self.visit(node.value)
        self.in_braces = True
        node.format_spec = self.visit(node.format_spec) if node.format_spec is not None else None
        self.in_braces = before
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.Is, ast.IsNot)) and self.is_component(node.left):
            right = node.comparators[0]
            if isinstance(right, ast.Constant) and right.value is None:
                return literal(isinstance(node.ops[0], ast.IsNot), node)
        sides = [node.left, *node.comparators]
        decided = len(sides) == 2 and any(isinstance(side, ast.Constant) for side in sides)
        if not decided and any(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            # `x is 4` asks which object it is, and a literal is another one.
            self.compared += sides
        return super().visit_Compare(node)

    def is_component(self, node: ast.expr) -> bool:
        """`program.x` whose value in the entry is a component: certainly not None."""
        return (
            isinstance(node, ast.Attribute)
            and record_of(node.value) == "program"
            and node.attr in self.known.components
        )


class _Rename(Transformer):
    """Writes one name for another."""

    def __init__(self, old: str, new: str):
        self.old, self.new = old, new

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.new if node.id == self.old else node.id
        return node
