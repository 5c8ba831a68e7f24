"""f-strings as of Python 3.12 (PEP 701) written so that an older Python runs them: minifiers write them.

A field holds what it must not in an older one: its own quote, a backslash, a comment, a line break. The expression is printed
without any of them: `d["a"]` becomes `d[str().join(map(chr, (97,)))]`, a nested f-string is `format` calls. No line moves.
"""

from __future__ import annotations

import ast

from pgolf.wrappers.fstrings import FString, newer

DEPTH = 20


class Untold(Exception):
    """A string that cannot be written otherwise; the message says why."""


def runnable(text: str) -> str:
    """The text itself where this Python parses it, else with older strings.

    Raises:
        SyntaxError: where it does not parse after all.
    """
    try:
        ast.parse(text)
        return text
    except SyntaxError:
        try:
            changed = older(text)
        except (Untold, RecursionError):
            changed = text
        if changed == text:
            raise
        ast.parse(changed)
        return changed


def older(text: str, depth: int = 0) -> str:
    """The text with every newer f-string in the older form.

    Raises:
        Untold: for `f"{d["a"]=}"`, which shows its own source, and for strings that are nested too deep.
    """
    if depth > DEPTH:
        raise Untold("strings are nested too deep")
    parts, at = [], 0
    for item in newer(text) or []:
        parts += [text[at : item.start], one(text, item, depth)]
        at = item.end
    return "".join([*parts, text[at:]])


def one(text: str, item: FString, depth: int) -> str:
    """An f-string; of one line, it gets three quotes, so that fields may have line breaks."""
    opening = item.start + text[item.start : item.end].index(item.quote)
    inside, last = opening + len(item.quote), item.end - len(item.quote)
    parts, at = [text[item.start : opening], item.quote[0] * 3], inside
    for start, end in sorted(item.fields):
        parts += [text[at:start], field(text[start:end], depth)]
        at = end
    return "".join([*parts, text[at:last], item.quote[0] * 3])


def field(text: str, depth: int) -> str:
    """An expression without quotes, backslashes and comments, and as many lines."""
    if text.rstrip().endswith("="):
        raise Untold("a field shows its own source")
    tree = ast.parse(f"({older(text, depth + 1)}\n)", mode="eval")
    plain = ast.unparse(ast.fix_missing_locations(Spelled().visit(tree)))
    return f"({plain}{chr(10) * text.count(chr(10))})"


class Spelled(ast.NodeTransformer):
    """Texts by the numbers of their characters, f-strings by calls of `format`."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """A text, or bytes."""
        if isinstance(node.value, bytes):
            return called("bytes", numbers(list(node.value)))
        return spelled(node.value) if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        """All parts, joined."""
        return joined(ast.Tuple([self.visit(part) for part in node.values], ast.Load()))

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.expr:
        """`format(value, spec)` of the value or of its `str`, `repr` or `ascii`."""
        value = self.visit(node.value)
        kinds = {ord("s"): "str", ord("r"): "repr", ord("a"): "ascii"}
        if node.conversion in kinds:
            value = called(kinds[node.conversion], value)
        return called("format", value, *([] if node.format_spec is None else [self.visit(node.format_spec)]))


def called(name: str, *args: ast.expr) -> ast.Call:
    """A call of a builtin."""
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])


def numbers(values: list[int]) -> ast.Tuple:
    """A literal of numbers."""
    return ast.Tuple([ast.Constant(value) for value in values], ast.Load())


def joined(parts: ast.expr) -> ast.Call:
    """`str().join(parts)`."""
    return ast.Call(ast.Attribute(called("str"), "join", ast.Load()), [parts], [])


def spelled(text: str) -> ast.Call:
    """`str().join(map(chr, (...)))`."""
    return joined(called("map", ast.Name("chr", ast.Load()), numbers([ord(char) for char in text])))
