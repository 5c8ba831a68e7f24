"""The script as it is executed: calls that would lose scores keep them, and folders that all share are its own."""

from __future__ import annotations

import ast
import re
from pathlib import Path

KEEP, PERCENT = "_pgolf_keep", "_pgolf_percent"
SHARED = re.compile(r"(?<![\w./-])/(?:tmp|dev/shm)(?![\w.-])")
"""The start of a path in a folder that executions side by side have in common."""


def rewritten(text: str, scratch: Path) -> ast.Module:
    """The tree of a script.

    Args:
        scratch: a folder for what it writes to `/tmp`: counters of a queue there would be those of the next execution, too.
    """
    tree: ast.Module = Keeping(scratch).visit(ast.parse(text))
    return tree


class Keeping(ast.NodeTransformer):
    """Calls of `float` keep scores. `float` itself stays what it is, since types are compared with it."""

    def __init__(self, scratch: Path):
        self.scratch = str(scratch)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """`"/tmp/counter"`, also as a part of an f-string or a command."""
        if isinstance(node.value, str) and SHARED.search(node.value):
            node.value = SHARED.sub(lambda found: self.scratch, node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`float(x)`, `np.float64(x)`."""
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in ("float", "float64") and len(node.args) == 1 and not node.keywords:
            node.func = ast.copy_location(ast.Name(KEEP, ast.Load()), node.func)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """`"%.4f" % loss`: what is left of it may be a text."""
        self.generic_visit(node)
        if not isinstance(node.op, ast.Mod) or not isinstance(node.left, (ast.Constant, ast.JoinedStr, ast.Name)):
            return node
        if isinstance(node.left, ast.Constant) and not isinstance(node.left.value, str):
            return node
        name = ast.copy_location(ast.Name(PERCENT, ast.Load()), node)
        return ast.copy_location(ast.Call(name, [node.left, node.right], []), node)
