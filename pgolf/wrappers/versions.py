"""Which versions of Python parse a source. One interpreter decides for all of them."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from dataclasses import dataclass, field

from pgolf.wrappers.fstrings import lowered, newer

VERSIONS = ("3.11", "3.12", "3.13")
TYPE_SYNTAX = re.compile(
    r"(?m)^[ \t]*(?:type[ \t]+\w++(?:\[[^\]\n]*+\])?[ \t]?=[^=]|(?:async[ \t]+)?(?:def|class)[ \t]+\w++\[)"
)


@dataclass(frozen=True)
class Parsed:
    """A syntax tree and who accepts it.

    Attributes:
        tree: None where no version does, or where only a newer Python than this one could tell.
        accepts: version -> parses; None stands for a version that this interpreter cannot judge.
        error: what the parser said, with the line.
        why: what the oldest versions do not accept.
    """

    tree: ast.Module | None
    accepts: dict[str, bool | None] = field(default_factory=dict)
    error: str = ""
    why: str = ""


def parse(text: str) -> Parsed:
    """Parse with this interpreter; then decide for the other versions."""
    tree, error = attempt(text)
    strings = newer(text) if tree is None or sys.version_info >= (3, 12) else []
    why = f"line {text.count(chr(10), 0, strings[0].start) + 1}: an f-string as of 3.12 (PEP 701)" if strings else ""
    if tree is None and strings:
        tree, _ = attempt(lowered(text))
    if tree is None:
        match = TYPE_SYNTAX.search(text) if sys.version_info < (3, 12) else None
        if match is None:
            return Parsed(None, dict.fromkeys(VERSIONS, False), error, why)
        line = text.count("\n", 0, match.start()) + 1
        return Parsed(None, {"3.11": False, "3.12": None, "3.13": None}, error, f"line {line}: type parameters (3.12)")
    accepts: dict[str, bool | None] = {}
    for version in VERSIONS:
        wanted = (3, int(version[2:]))
        if strings:
            accepts[version] = wanted >= (3, 12)
        elif strings is None and wanted < (3, 12):
            accepts[version] = None
        elif wanted < sys.version_info[:2]:
            older, message = attempt(text, wanted)
            accepts[version] = older is not None
            why = why or ("" if older else message)
        else:
            accepts[version] = True
    return Parsed(tree, accepts, "", why)


def attempt(text: str, version: tuple[int, int] | None = None) -> tuple[ast.Module | None, str]:
    """The tree and "", or None and the reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, feature_version=version), ""
    except SyntaxError as error:
        return None, f"line {error.lineno}: {error.msg}" if error.lineno else str(error.msg)
    except (ValueError, RecursionError, MemoryError) as error:
        return None, str(error) or type(error).__name__
