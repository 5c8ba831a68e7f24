"""Texts in the braces of f-strings are taken out of them, so that every Python prints and reads the program in the same way.

Until Python 3.11 a text in braces must not have the quotes of the f-string around it; from 3.12 on it may, and is printed so. A
part with a text becomes a call of `str.format`, which does the same at the same moment:

    f"{step}: {names['a']:>5}"      ->      f"{step}: " + "{:>5}".format(names["a"])
"""

from __future__ import annotations

import ast

from pgolf.bundle.trees import Transformer, walk

CONVERSIONS = {-1: "", 97: "!a", 114: "!r", 115: "!s"}


def without_nested_texts(tree: ast.Module) -> ast.Module:
    """The module without texts in the braces of its f-strings (in place), but for two of them in one format."""
    if any(has_text(node) for node in walk(tree) if isinstance(node, ast.FormattedValue)):
        _TextsOutside().visit(tree)
    return tree


def has_text(value: ast.FormattedValue) -> bool:
    """Is there a text in the braces?"""
    return any(any(map(_is_text, walk(part))) for part in (value.value, *braces_of(value)))


def braces_of(value: ast.FormattedValue) -> list[ast.expr]:
    """Expressions in the braces of a format."""
    parts = walk(value.format_spec) if value.format_spec is not None else []
    return [part.value for part in parts if isinstance(part, ast.FormattedValue)]


def _can_move(value: ast.FormattedValue) -> bool:
    """Has the format at most one value of its own, and no brace as a sign? Of two, the first would be written out too late."""
    return len(braces_of(value)) < 2 and not set(_template(value)) & set("{}")


def _template(value: ast.FormattedValue) -> str:
    """The format with a zero byte for each value in it."""
    spec = value.format_spec.values if isinstance(value.format_spec, ast.JoinedStr) else []
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in spec)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)))


class _TextsOutside(Transformer):
    """Writes f-strings with texts in their braces as sums."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        parts: list[ast.expr] = []
        for value in node.values:
            if isinstance(value, ast.FormattedValue) and has_text(value) and _can_move(value):
                parts.append(self._format_call(value))
            elif parts and isinstance(parts[-1], ast.JoinedStr):
                parts[-1].values.append(value)
            else:
                parts.append(ast.copy_location(ast.JoinedStr([value]), value))
        if all(isinstance(part, ast.JoinedStr) for part in parts):
            return node
        text = parts[0]
        for part in parts[1:]:
            text = ast.copy_location(ast.BinOp(text, ast.Add(), part), node)
        return text

    def _format_call(self, value: ast.FormattedValue) -> ast.Call:
        """`"{:>5}".format(x)` of `{x:>5}`."""
        spec = _template(value).replace("\0", "{}")
        template = ast.Constant("{" + CONVERSIONS[value.conversion] + (":" + spec if spec else "") + "}")
        arguments = [self.visit(part) for part in (value.value, *braces_of(value))]
        call = ast.Call(ast.Attribute(template, "format", ast.Load()), arguments, [])
        for node in (call, call.func, template):
            ast.copy_location(node, value)
        return call
