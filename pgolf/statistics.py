"""Is it better, and by how much? Tests of per-seed scores against a row of the leaderboard.

The written rule asks for a margin in nats per token. A nat is worth another number of bits per byte with each tokenizer:
val_loss / val_bpb of the new runs converts it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pgolf.challenge import Challenge

TERMS = 1000
TINY = 1e-300


@dataclass(frozen=True)
class Test:
    """One one-sided test: the statistic, its degrees of freedom, and the p-value."""

    t: float
    df: float
    p: float


def welch(new: Sequence[float], old: Sequence[float], margin: float = 0.0) -> Test:
    """Are `new` scores lower than `old` ones by more than `margin`? Unequal variances; two values on each side at least."""
    _refuse_equal(new, old)
    one, other = statistics.variance(new) / len(new), statistics.variance(old) / len(old)
    parts = one**2 / (len(new) - 1) + other**2 / (len(old) - 1)
    df = (one + other) ** 2 / parts if parts > 0 else math.nan
    return _test(statistics.fmean(new) - statistics.fmean(old) + margin, one + other, df)


def one_sample(new: Sequence[float], bar: float) -> Test:
    """Is the mean of `new` scores lower than a constant?"""
    _refuse_equal(new)
    return _test(statistics.fmean(new) - bar, statistics.variance(new) / len(new), len(new) - 1)


def _test(difference: float, variance: float, df: float) -> Test:
    """The lower tail; ValueError where the spread is too small to divide by."""
    if not variance > 0 or not math.isfinite(df):
        raise ValueError("a test needs some spread")
    t = difference / math.sqrt(variance)
    return Test(t, df, student(t, df))


def student(t: float, df: float) -> float:
    """P(T <= t) for Student's t with `df` degrees of freedom: half of I_x(df / 2, 1 / 2) at x = df / (df + t^2), for t < 0."""
    if t == 0.0:
        return 0.5
    square = t * t
    if math.isinf(square):
        return 0.0 if t < 0 else 1.0
    tail = 0.5 * incomplete_beta(df / 2, 0.5, -math.log1p(square / df), -math.log1p(df / square))
    return tail if t < 0 else 1.0 - tail


def incomplete_beta(a: float, b: float, log_x: float, log_y: float) -> float:
    """The regularized incomplete beta function I_x(a, b), of the logarithms of x and y = 1 - x, by its continued fraction."""
    x = math.exp(log_x)
    if x > (a + 1.0) / (a + b + 2.0):  # there the fraction of the other tail is the quick one
        return 1.0 - incomplete_beta(b, a, log_y, log_x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * log_x + b * log_y) / a
    # Lentz's method: c and d are the ratios of successive numerators and denominators.
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0) or TINY)
    product = d
    for m in range(1, TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            c, d = 1.0 + term / c or TINY, 1.0 / (1.0 + term * d or TINY)
            product *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return front * product


def _refuse_equal(*samples: Sequence[float]) -> None:
    """A test needs two values a side, and some spread on one."""
    if any(len(sample) < 2 for sample in samples) or all(len(set(sample)) == 1 for sample in samples):
        raise ValueError("a test needs two values or more on each side that are not all equal")


@dataclass(frozen=True)
class Comparison:
    """New scores against a row: differences are new minus old, so that better is negative."""

    mean: float
    std: float
    count: int
    baseline: str
    baseline_mean: float
    baseline_count: int
    nats_per_bpb: float
    delta_bpb: float
    delta_nats: float
    margin_bpb: float
    p_without_margin: float | None
    p_with_margin: float | None
    practised: bool
    written: bool

    def as_record(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @property
    def line(self) -> str:
        """One line: the margin needed, the margin had, and p with and without it."""
        had = f"{-self.delta_bpb:+.5f} BPB ({-self.delta_nats:+.5f} nats)"
        need = f"{self.margin_bpb:.5f} BPB ({self.margin_bpb * self.nats_per_bpb:g} nats)"
        tested = self.p_without_margin is not None and self.p_with_margin is not None
        p = (
            f"p {self.p_without_margin:.4f} without and {self.p_with_margin:.4f} with the margin"
            if tested
            else "no test"
        )
        verdict = "a record by the written rule" if self.written else "no record by the written rule"
        practice = "enough as rows were accepted" if self.practised else "too little as rows were accepted"
        return f"{self.baseline}: had {had}, needs {need}; {p}: {verdict}, {practice}"


def compare(
    values: Sequence[float], nats_per_bpb: float, baseline: str, old: Sequence[float], rules: Challenge
) -> Comparison:
    """Welch's test with and without the margin; one-sample where a side has one value.

    Args:
        values: scores of the new runs, one a seed.
        nats_per_bpb: val_loss / val_bpb of the new runs.
        old: scores of the row's seeds, or its mean alone.
    """
    margin = rules.margin_nats / nats_per_bpb
    mean, old_mean = statistics.fmean(values), statistics.fmean(old)
    plain, with_margin = _p(values, old, 0.0), _p(values, old, margin)
    return Comparison(
        mean=mean,
        std=statistics.stdev(values) if len(values) > 1 else math.nan,
        count=len(values),
        baseline=baseline,
        baseline_mean=old_mean,
        baseline_count=len(old),
        nats_per_bpb=nats_per_bpb,
        delta_bpb=mean - old_mean,
        delta_nats=(mean - old_mean) * nats_per_bpb,
        margin_bpb=margin,
        p_without_margin=plain,
        p_with_margin=with_margin,
        practised=plain is not None and plain < rules.p_practised,
        written=with_margin is not None and with_margin < rules.p_written,
    )


def _p(values: Sequence[float], old: Sequence[float], margin: float) -> float | None:
    try:
        return welch(values, old, margin).p if len(old) > 1 else one_sample(values, old[0] - margin).p
    except ValueError:
        return None
