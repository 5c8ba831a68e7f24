"""Operations on text and bytes that a script may unpack itself with, each with a bound on what it gives."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from pgolf.wrappers.decoders import Undecodable, bounded

LITERAL = 16 * 2**20
ABOVE = 32
"""Most folders that `parents[N]` goes up."""
TOO_LONG = f"a literal longer than {LITERAL:,} bytes"
CODINGS = ("utf8", "utf8sig", "latin1", "l1", "iso88591", "cp1252", "ascii")
TEXT_METHODS = ("replace", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix")


def as_data(value: Any) -> Any:
    """Bytes or text; Undecodable for anything else."""
    if not isinstance(value, (bytes, str)):
        raise Undecodable("the data are not a literal")
    return value


def as_path(value: Any) -> str:
    """The text of a path."""
    if not isinstance(value, (str, PurePosixPath)):
        raise Undecodable("a path that is not a literal")
    return str(value)


def small(value: Any) -> Any:
    """A literal may be longer than what a decoder may give, but not without end."""
    if len(value) > LITERAL:
        raise Undecodable(TOO_LONG)
    return value


def recode(value: Any, coding: str) -> Any:
    """`encode` or `decode`."""
    try:
        if isinstance(value, str):
            return small(value).encode(_known(coding))
        if isinstance(value, bytes):
            return bounded(value).decode(_known(coding))
    except (UnicodeError, LookupError) as error:
        raise Undecodable(f"{coding[:40]}: {str(error)[:100]}") from None
    raise Undecodable("text or bytes are wanted")


def _known(coding: str) -> str:
    if coding.lower().replace("-", "").replace("_", "") not in CODINGS:
        raise Undecodable(f"the coding {coding[:40]!r}")
    return coding


def joined(separator: Any, items: list[Any]) -> Any:
    """`separator.join(items)`."""
    if not isinstance(separator, (str, bytes)) or any(type(item) is not type(separator) for item in items):
        raise Undecodable("a join of something else than text")
    if sum(map(len, items)) + len(separator) * len(items) > LITERAL:
        raise Undecodable(TOO_LONG)
    joined: str | bytes = separator.join(items)  # type: ignore[arg-type]
    return joined


def text_method(value: Any, method: str, values: list[Any]) -> Any:
    """One of `TEXT_METHODS`."""
    if method not in TEXT_METHODS or not isinstance(value, (str, bytes)) or len(values) > 2:
        raise Undecodable(f"a call of {method[:40]!r}")
    if any(type(item) is not type(value) for item in values):
        raise Undecodable(f"{method} with other arguments than text")
    if method == "replace" and len(values) == 2:
        grown = value.count(values[0]) * max(0, len(values[1]) - len(values[0]))  # type: ignore[arg-type]
        if len(value) + grown > LITERAL:
            raise Undecodable(TOO_LONG)
    try:
        return getattr(value, method)(*values)
    except TypeError as error:
        raise Undecodable(str(error)) from None


def above(path: Any, count: Any) -> PurePosixPath:
    """`parents[count]` of a path, which may lead out of the folder."""
    if not isinstance(path, PurePosixPath) or type(count) is not int or not 0 <= count < ABOVE:
        raise Undecodable("a folder above something that is not known")
    place: PurePosixPath = path
    for _ in range(count + 1):
        place = place.parent if place.name not in ("", "..") else place / ".."
    return place
