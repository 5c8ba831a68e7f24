"""Whether the difference of two sets of scores is more than chance."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from pgolf.statistics import one_sample, welch


@dataclass(frozen=True)
class Scores:
    """Of B less A, so that better is negative; `p` is two-sided, None without a test, and `test` says which or why not."""

    difference: float | None
    p: float | None
    test: str


def compare_scores(a: Mapping[int, float], b: Mapping[int, float]) -> Scores:
    """Paired t over the seeds that both have, if there are two; else Welch's t, two values a side at least.

    Args:
        a, b: seed -> score; seeds below 0 are unknown and pair with none.
    """
    shared = sorted(seed for seed in set(a) & set(b) if seed >= 0)
    pairs = [b[seed] - a[seed] for seed in shared]
    difference = statistics.fmean(b.values()) - statistics.fmean(a.values()) if a and b else None
    try:
        if len(pairs) > 1:
            difference = statistics.fmean(pairs)
            return Scores(difference, two_sided(one_sample(pairs, 0.0).p), f"paired t over {len(pairs)} seeds")
        if len(a) > 1 and len(b) > 1:
            return Scores(difference, two_sided(welch([*b.values()], [*a.values()]).p), "Welch's t")
    except ValueError as error:
        return Scores(difference, None, f"no test: {error}")
    return Scores(difference, None, "no test: two seeds a side are wanted")


def two_sided(lower: float) -> float:
    """Of a lower tail."""
    return min(1.0, 2 * min(lower, 1 - lower))
