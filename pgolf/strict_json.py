"""JSON as every reader takes it: no NaN, no number that a float cannot hold, no key twice in one object."""

from __future__ import annotations

import json
import math
from typing import Any


def strict_loads(text: str) -> Any:
    """The value of a document.

    Raises:
        ValueError: for what is no JSON, and for what readers take in different ways.
        RecursionError: for a document that is nested too deep.
    """
    return json.loads(text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_once)


def _refuse(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is more than a number can be")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:40]!r} is there twice")
    return made
