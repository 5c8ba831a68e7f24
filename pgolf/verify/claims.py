"""submission.json as people write it: where the headline is, the values of each seed, and how they fit the logs."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from pgolf.logs import RunRecord

HEADLINE_KEYS = [
    "val_bpb",
    "mean_val_bpb",
    "val_bpb_mean",
    "mean_bpb",
    "val_bpb_3seed_mean",
    "three_seed_mean_bpb",
    "val_bpb_exact",
    "best_val_bpb",
    "bpb",
    "score",
]
STD_KEYS = ("val_bpb_std", "std_val_bpb", "std_bpb", "val_bpb_3seed_std")
BYTES_KEYS = ["bytes_total", "artifact_bytes", "artifact_bytes_max", "artifact_size_bytes", "artifact_bytes_mean"]
SEED_BYTES_KEYS = ("artifact_bytes", "bytes_total")
SEED_KEY = re.compile(r"(?:seed_?)?(\d{1,19})")
SEED_HOLDERS = ("seed_results", "seeds", "per_seed")
NO_HEADLINE = re.compile(r"std|delta|gain|improve|base|sota|previous|prior|pre_?(?:quant|ttt)|margin", re.IGNORECASE)
MOST_SEEDS = 1000
MOST_KEYS = 1000


def is_number(value: Any) -> TypeGuard[int | float]:
    """A finite JSON number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def last_digit(value: float) -> float:
    """One unit of the last digit that a number is written with."""
    text = repr(value)
    return float(10.0 ** -(len(text.partition(".")[2]) if "e" not in text else 12))


@dataclass(frozen=True)
class Claimed:
    """The headline: its key ("" where there is none), its value, and whether a number was written as one."""

    key: str = ""
    value: float | None = None
    is_text: bool = False

    @property
    def half_unit(self) -> float:
        """Half a unit of its last digit."""
        return 0.5 * last_digit(self.value) if self.value is not None else 0.0


@dataclass(frozen=True)
class Match:
    """Where a headline is found: "mean", "line" (mean of another line), "run", "eval", "value", "trained" or "" (nowhere)."""

    kind: str
    text: str = ""
    names: tuple[str, ...] = ()
    values: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()


def read_claim(claim: Mapping[str, Any]) -> Claimed:
    """The first headline key with a number; else one in a nested object, else another key that speaks of bpb."""
    for key in HEADLINE_KEYS:
        found = _number(key, claim.get(key))
        if found is not None:
            return found
    nested = {key: value for key, value in list(claim.items())[:MOST_KEYS] if isinstance(value, dict)}
    for outer, inner in nested.items():
        for key in (*HEADLINE_KEYS, "mean", "value") if outer == "val_bpb" else HEADLINE_KEYS:
            found = _number(f"{outer}.{key}", inner.get(key)) if outer not in SEED_HOLDERS else None
            if found is not None:
                return found
    for key, value in list(claim.items())[:MOST_KEYS]:
        if "bpb" in key and not NO_HEADLINE.search(key):
            found = _number(key, value)
            if found is not None:
                return found
    return Claimed()


def _number(key: str, value: Any) -> Claimed | None:
    if is_number(value) and value > 0:
        return Claimed(key, float(value))
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}\.\d{1,20}", value.strip()):
        return Claimed(key, float(value), True)
    return None


def seed_results(claim: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    """seed -> its results, from `seed_results`, `seeds`, `per_seed` or `seed_N` objects, or lists of objects with a seed."""
    found: dict[int, Mapping[str, Any]] = {}
    for holder in (*map(claim.get, SEED_HOLDERS), claim):
        for key, value in _entries(holder):
            match = SEED_KEY.fullmatch(str(key)[:40])
            if match and isinstance(value, dict):
                found.setdefault(int(match[1]), value)
    return found


def _entries(holder: Any) -> list[tuple[Any, Any]]:
    if isinstance(holder, dict):
        return list(holder.items())[:MOST_SEEDS]
    if isinstance(holder, list):
        return [(item.get("seed"), item) for item in holder[:MOST_SEEDS] if isinstance(item, dict)]
    return []


def value_of(record: RunRecord, key: str) -> float:
    """`val_bpb` or `val_loss` of the headline."""
    return float(getattr(record.headline, key)) if record.headline is not None else math.nan


def fit(
    claimed: Claimed,
    pools: Sequence[Mapping[str, RunRecord]],
    trained: Mapping[str, RunRecord],
    tolerance: float,
) -> Match:
    """Find the headline in the logs: the mean first, then another line, one run, any value, a value while training.

    Args:
        pools: choices of logs whose mean the headline may be, the likeliest first; the second is that of all logs.
        trained: those that trained.
    """
    if claimed.value is None:
        return Match("")
    headline, allowed = claimed.value, max(tolerance, claimed.half_unit) * (1 + 1e-9)

    def close(value: float) -> bool:
        return abs(value - headline) <= allowed

    runs = pools[1]
    means = (_mean(pool, close, "mean") for pool in pools if len(pool) > 1 or len(pool) == len(runs))
    return (
        next((match for match in means if match is not None), None)
        or _other_line(pools[0], close)
        or _other_line(runs, close)
        or _mean({name: run for name, run in runs.items() if name not in trained}, close, "eval")
        or _one_run(runs, close)
        or _any_value(runs, close)
        or Match("")
    )


def _mean(runs: Mapping[str, RunRecord], close: Any, kind: str) -> Match | None:
    ended = {name: run for name, run in runs.items() if run.headline is not None and not run.diverged}
    values = [value_of(run, "val_bpb") for run in ended.values()]
    if not values or not close(statistics.fmean(values)):
        return None
    losses = tuple(value_of(run, "val_loss") for run in ended.values())
    without = [name for name, run in runs.items() if run.diverged]
    text = f"the mean of the final lines of {len(values)} logs" + (f", without {', '.join(without)}" if without else "")
    return Match(kind, text, tuple(ended), tuple(values), losses)


def _other_line(runs: Mapping[str, RunRecord], close: Any) -> Match | None:
    """A label that every log has, and whose mean is the headline."""
    ended = {name: run for name, run in runs.items() if run.finals}
    labels = [{final.label for final in run.finals} for run in ended.values()]
    for label in sorted(set.intersection(*labels)) if labels else ():
        lines = [[final for final in run.finals if final.label == label] for run in ended.values()]
        best = [max(same, key=lambda final: len(final.val_bpb)) for same in lines]
        values = [float(final.val_bpb) for final in best]
        if close(statistics.fmean(values)) and len(values) > 1:
            losses = tuple(float(final.val_loss) for final in best)
            return Match("line", f"the mean of the lines {label!r}", tuple(ended), tuple(values), losses)
    return None


def _one_run(runs: Mapping[str, RunRecord], close: Any) -> Match | None:
    for name, run in runs.items():
        if run.headline is not None and close(value_of(run, "val_bpb")):
            return Match("run", f"one run, {name}", (name,), *_headlines(runs))
    return None


def _any_value(runs: Mapping[str, RunRecord], close: Any) -> Match | None:
    bare = {name: [float(text) for text in run.bare_bpb[-8:]] for name, run in runs.items()}
    if bare and all(bare.values()):
        for place in range(1, 1 + min(len(values) for values in bare.values())):
            if close(statistics.fmean([values[-place] for values in bare.values()])):
                return Match("line", "the mean of lines that give no val_loss", tuple(runs), *_headlines(runs))
    for name, run in runs.items():
        for final in run.finals:
            if close(float(final.val_bpb)):
                return Match("value", f"the line {final.label!r} of {name}", (name,), *_headlines(runs))
        if any(close(value) for value in bare[name]):
            return Match("value", f"a line of {name} that gives no val_loss", (name,), *_headlines(runs))
    for name, run in runs.items():
        if any(close(float(pair.val_bpb)) for _, pair in run.vals):
            return Match("trained", f"a value of {name} before quantization", (name,), *_headlines(runs))
    return None


def _headlines(runs: Mapping[str, RunRecord]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    ended = [run for run in runs.values() if run.headline is not None and not run.diverged]
    return tuple(value_of(run, "val_bpb") for run in ended), tuple(value_of(run, "val_loss") for run in ended)
