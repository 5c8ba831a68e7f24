"""The grid of a sweep: every combination of the values of the settings that are swept."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from decimal import Decimal

from pgolf.errors import PgolfError

NUMBER = r"-?\d+(?:\.\d+)?"
RANGE = re.compile(rf"({NUMBER})\.\.({NUMBER})(?::({NUMBER}))?")
MOST_POINTS = 10_000
Values = dict[str, str]
"""A point: setting -> value, as text that is typed and checked like that of `--set`."""


def read_grid(sweeps: Sequence[str]) -> list[Values]:
    """The points of several `--sweep NAME=VALUES`, the last name changing fastest; one point without settings for none.

    VALUES is `LOW..HIGH`, which includes both and goes by 1, `LOW..HIGH:STEP`, or values with commas between. Decimal
    arithmetic: 0.1 steps meet the numbers that were meant.

    Raises:
        PgolfError: PG004 for anything else.
    """
    axes: dict[str, list[str]] = {}
    for text in sweeps:
        name, equals, values = text.partition("=")
        name = name.strip().lower()
        if not equals or not name or name in axes:
            fault = "sweeps a setting a second time" if name in axes and equals else "is no NAME=VALUES"
            raise PgolfError(
                "PG004", f"--sweep {text!r} {fault}", "command line", "write NAME=11..14 or NAME=11,12.85,14"
            )
        axes[name] = read_values(text, values.strip())
    total = 1
    for values_of_one in axes.values():
        total *= len(values_of_one)
    if total > MOST_POINTS:
        text = f"the sweeps have {total} points together, wanted at most {MOST_POINTS}"
        raise PgolfError("PG004", text, "command line", "sweep fewer values")
    return [dict(zip(axes, point, strict=True)) for point in itertools.product(*axes.values())]


def read_values(text: str, values: str) -> list[str]:
    """The values of one setting, each once."""
    match = RANGE.fullmatch(values)
    if match is None:
        found = [value.strip() for value in values.split(",")]
        if ".." in values or "" in found:
            raise PgolfError(
                "PG004", f"--sweep got {text!r}", "command line", "write NAME=11..14, 11..14:0.5 or 11,12.85"
            )
        return list(dict.fromkeys(found))
    low, high, step = Decimal(match[1]), Decimal(match[2]), Decimal(match[3] or 1)
    if step <= 0 or high < low or (high - low) / step > MOST_POINTS:
        fault = (
            f"--sweep {text!r} has no values" if step <= 0 or high < low else f"--sweep {text!r} has too many values"
        )
        raise PgolfError("PG004", fault, "command line", "write LOW..HIGH:STEP with LOW at most HIGH and STEP above 0")
    return [str(low + number * step) for number in range(int((high - low) / step) + 1)]
