"""Drops from a script that pgolf did not build what nothing reads: literal statements and annotations without effect."""

from __future__ import annotations

import ast

from pgolf.bundle.names import copy_tree
from pgolf.repack.evidence import ANNOTATIONS, LITERALS, Evidence
from pgolf.repack.index import is_idle


def strip(tree: ast.Module, evidence: Evidence) -> ast.Module:
    """A copy without what nothing reads."""
    copied = copy_tree(tree)
    twins = dict(zip(ast.walk(tree), ast.walk(copied), strict=True))
    kept = {twins[node] for node in evidence.annotated | evidence.kernels}
    stripped = _Strip(not evidence.forbids(LITERALS), not evidence.forbids(ANNOTATIONS), kept).visit(copied)
    assert isinstance(stripped, ast.Module)
    # Printed and read again, so that the trees compared later have one history.
    return stripped


class _Strip(ast.NodeTransformer):
    """Drops literal statements, and annotations of functions and variables that have no effect."""

    def __init__(self, literals: bool, annotations: bool, kept: set[ast.AST]):
        self.literals, self.annotations, self.kept = literals, annotations, kept
        self.depth = 0

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for name, value in ast.iter_fields(node):
            if self.literals and isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                body = [item for item in value if not is_idle(item)]
                needed = name == "body" and not isinstance(node, ast.Module)
                setattr(node, name, body or (_nothing() if needed or name == "finalbody" else []))
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        if self.annotations and node not in self.kept:
            arguments = node.args
            extra = [item for item in (arguments.vararg, arguments.kwarg) if item is not None]
            for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra):
                if item.annotation is not None and is_still(item.annotation):
                    item.annotation = None
            if node.returns is not None and is_still(node.returns):
                node.returns = None
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        depth, self.depth = self.depth, -1
        self.generic_visit(node)
        self.depth = depth
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        # A field of a class stays: a dataclass reads it. One without a value makes a name local.
        if not self.annotations or self.depth < 0 or node.value is None or not is_still(node.annotation):
            return node
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)


def _nothing() -> list[ast.stmt]:
    return [ast.Expr(ast.Constant(0))]


def is_still(node: ast.expr) -> bool:
    """Does evaluating an annotation have no effect?"""
    still = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.List, ast.BinOp, ast.BitOr)
    return all(isinstance(item, (*still, ast.expr_context, ast.Slice)) for item in ast.walk(node))
