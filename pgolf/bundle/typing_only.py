"""What stands in a module for type checkers alone, and means nothing to the running program."""

from __future__ import annotations

import ast

from pgolf.bundle.trees import walk


def without_typing(tree: ast.Module) -> ast.Module:
    """The module without `from __future__ import annotations` and `if TYPE_CHECKING:` blocks of imports (in place).

    Fields of classes keep an annotation, because that is what makes them fields; where it names what only a type checker
    imports, it becomes `object`, and so does that of a variable or attribute. Annotations of functions go later, with all
    others.
    """
    hidden: set[str] = set()
    kept: list[ast.stmt] = []
    for node in tree.body:
        if is_annotations_import(node):
            continue
        if is_typing_block(node):
            hidden |= {alias.asname or alias.name for item in walk(node) for alias in _aliases(item)}
            continue
        kept.append(node)
    tree.body = kept
    if hidden:
        for item in [item for node in kept for item in walk(node) if isinstance(item, ast.AnnAssign)]:
            _hide_annotation(item, hidden)
    return tree


def is_annotations_import(node: ast.stmt) -> bool:
    """Is this `from __future__ import annotations`? The other flags change what a program does."""
    return (
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and [alias.name for alias in node.names] == ["annotations"]
    )


def is_typing_block(node: ast.stmt) -> bool:
    """Is this `if TYPE_CHECKING:` with imports below it and no `else`?"""
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
        and not node.orelse
        and all(isinstance(item, (ast.Import, ast.ImportFrom)) for item in node.body)
    )


def _aliases(node: ast.AST) -> list[ast.alias]:
    return node.names if isinstance(node, (ast.Import, ast.ImportFrom)) else []


def _hide_annotation(node: ast.AnnAssign, hidden: set[str]) -> None:
    if hidden & {name.id for name in walk(node.annotation) if isinstance(name, ast.Name)}:
        node.annotation = ast.copy_location(ast.Name("object", ast.Load()), node.annotation)
