"""Reads a script as Python does: its bytes, its text and its tree."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
import warnings

from pgolf.errors import PgolfError


def decode(data: bytes) -> str:
    """The file's text, as Python reads it.

    Raises:
        PgolfError: PG004.
    """
    try:
        text = data.decode(encoding(data))
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise PgolfError("PG004", f"the script is not text: {error}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def encoding(data: bytes) -> str:
    """The encoding that a file names in its first two lines; UTF-8 without one."""
    return tokenize.detect_encoding(io.BytesIO(data).readline)[0]


def encode(text: str) -> bytes:
    """The file of a text: in the encoding that the text names, which Python will read it in.

    Raises:
        PgolfError: PG004 for a text that its own encoding does not hold.
    """
    try:
        name = encoding(text.encode())
        return text.encode("utf-8" if name == "utf-8-sig" else name)
    except (SyntaxError, UnicodeEncodeError, LookupError) as error:
        raise PgolfError("PG004", f"the script does not fit the encoding that it names: {error}") from None


def parse(text: str) -> ast.Module:
    """The script's tree.

    Raises:
        PgolfError: PG004, when this Python cannot read it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "the script", "exec", dont_inherit=True)
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        here = f"{sys.version_info[0]}.{sys.version_info[1]}"
        line = getattr(error, "lineno", None)
        where = f"line {line}" if line else ""
        hint = "a script that needs a newer Python must be packed by that Python"
        raise PgolfError("PG004", f"Python {here} cannot read the script: {error}", where, hint) from None


def needs_newer_python(text: str) -> bool:
    """Does the text have f-strings that only Python 3.12 and newer read?"""
    if sys.version_info < (3, 12):
        return False
    quotes: list[str] = []
    start = getattr(tokenize, "FSTRING_START", -1)
    end = getattr(tokenize, "FSTRING_END", -1)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        literal = token.type in (start, tokenize.STRING)
        quote = token.string.lstrip("rRbBfFuU")[:1] if literal else ""
        if quotes and ((quote and quote in quotes) or (literal and "\\" in token.string)):
            return True
        if quotes and token.type == tokenize.COMMENT:
            return True
        if token.type == start:
            quotes.append(quote)
        elif token.type == end:
            quotes.pop()
    return False
