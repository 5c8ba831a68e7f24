"""What stands in a module for type checkers alone, and means nothing to the running program."""

from __future__ import annotations

import ast

from pgolf.bundle.trees import walk

SPECIAL_FORMS = ("ClassVar", "InitVar", "KW_ONLY")
"""What an annotation may say that a dataclass listens to."""


def without_typing(tree: ast.Module) -> ast.Module:
    """The module without `from __future__ import annotations` and `if TYPE_CHECKING:` blocks of imports (in place).

    Fields of classes keep an annotation, because that is what makes them fields; where it was never evaluated, because of that
    import or because it is in quotes, or names what only a type checker imports, it becomes `object`. Annotations of functions
    go later, with all others.
    """
    lazy = any(is_annotations_import(node) for node in tree.body)
    hidden = {name.asname or name.name for node in tree.body if is_typing_block(node) for name in _aliases(node)}
    tree.body = [node for node in tree.body if not is_annotations_import(node) and not is_typing_block(node)]
    for node in walk(tree):
        if isinstance(node, ast.AnnAssign) and (lazy or _is_hidden(node.annotation, hidden)):
            _hide_annotation(node)
    return tree


def _is_hidden(annotation: ast.expr, hidden: set[str]) -> bool:
    """Has an annotation quotes, or a name that only a type checker knows?"""
    return any(
        isinstance(part.value, str)
        if isinstance(part, ast.Constant)
        else isinstance(part, ast.Name) and part.id in hidden
        for part in walk(annotation)
    )


def _hide_annotation(node: ast.AnnAssign) -> None:
    text = ast.unparse(node.annotation)
    if not any(form in text for form in SPECIAL_FORMS):
        node.annotation = ast.copy_location(ast.Name("object", ast.Load()), node.annotation)


def is_annotations_import(node: ast.stmt) -> bool:
    """Is this `from __future__ import annotations`? The other flags change what a program does."""
    return (
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and [alias.name for alias in node.names] == ["annotations"]
    )


def is_typing_block(node: ast.stmt) -> bool:
    """Is this `if TYPE_CHECKING:` or `if typing.TYPE_CHECKING:` with imports below it and no `else`?"""
    return (
        isinstance(node, ast.If)
        and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        and not node.orelse
        and all(isinstance(line, (ast.Import, ast.ImportFrom)) for line in node.body)
    )


def _aliases(block: ast.stmt) -> list[ast.alias]:
    """What the imports below a typing block bind."""
    imports = block.body if isinstance(block, ast.If) else []
    return [name for line in imports if isinstance(line, (ast.Import, ast.ImportFrom)) for name in line.names]
