"""What is not the same on two sides, and whether the difference of their results is more than chance.

p        two-sided: paired t over the seeds that both have, if there are two; else Welch's t, two values a side at least
curves   the training loss at steps that both have logged
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pgolf.compare.sides import RUN_TIME, Side
from pgolf.logs import RunRecord
from pgolf.statistics import one_sample, welch

POINTS = 8
FIGURES = {
    "val_loss": lambda run: None if run.headline is None else float(run.headline.val_loss),
    "bytes_total": lambda run: run.total_bytes,
    "steps": lambda run: run.steps,
    "train_seconds": lambda run: None if run.train_ms is None else run.train_ms / 1000,
    "eval_seconds": lambda run: None if run.eval_ms is None else run.eval_ms / 1000,
    "peak_memory_mib": lambda run: run.peak_mib,
}


@dataclass(frozen=True)
class Results:
    """Scores of both sides; differences are B less A, so that better is negative."""

    scores: tuple[Mapping[int, float], Mapping[int, float]]
    difference: float | None
    p: float | None
    test: str
    figures: Mapping[str, tuple[float | None, float | None]]


@dataclass
class Differences:
    """Of B against A. `unknown` has what one of them does not say."""

    plugins_added: list[str] = field(default_factory=list)
    plugins_removed: list[str] = field(default_factory=list)
    plugins_changed: dict[str, tuple[str, str]] = field(default_factory=dict)
    settings: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    code_bytes: tuple[int, int] | None = None
    plugin_bytes: dict[str, tuple[int, int]] = field(default_factory=dict)
    curves: list[tuple[int, float, float]] = field(default_factory=list)
    results: Results | None = None
    unknown: list[str] = field(default_factory=list)
    whole: bool = False
    """Do both sides say everything of their program? Logs do not."""

    @property
    def same_program(self) -> bool:
        """Do both say that they are one program? False also where one does not say."""
        changed = self.plugins_added or self.plugins_removed or self.plugins_changed or self.settings
        return self.whole and not changed and self.code_bytes is not None and self.code_bytes[0] == self.code_bytes[1]

    def as_record(self) -> dict[str, Any]:
        """For `--json`."""
        found = dict(self.__dict__)
        if self.results is not None:
            found["results"] = dict(self.results.__dict__)
        return {**found, "same_program": self.same_program}


def compare(a: Side, b: Side) -> Differences:
    """Everything that both say something of."""
    found = Differences()
    for side in (a, b):
        found.unknown += [f"{side.name}: {note}" for note in side.notes]
    found.whole = "logs" not in (a.kind, b.kind)
    if a.plugins is not None and b.plugins is not None:
        compare_plugins(a.plugins, b.plugins, found)
    else:
        found.unknown.append("plugins: " + silent(a, b, "plugins"))
    if a.settings is not None and b.settings is not None:
        compare_settings(a, b, found)
    else:
        found.unknown.append("settings: " + silent(a, b, "settings"))
    if a.code_bytes is not None and b.code_bytes is not None:
        found.code_bytes = a.code_bytes, b.code_bytes
    if a.plugin_bytes is not None and b.plugin_bytes is not None:
        pairs = {
            name: (a.plugin_bytes.get(name, 0), b.plugin_bytes.get(name, 0))
            for name in {*a.plugin_bytes, *b.plugin_bytes}
        }
        found.plugin_bytes = dict(sorted(pairs.items(), key=lambda item: (item[1][0] - item[1][1], item[0])))
    if a.runs and b.runs:
        found.curves = curve(a.runs, b.runs)
        found.results = results(a.runs, b.runs)
    elif a.runs or b.runs:
        found.unknown.append(f"results: {(b if a.runs else a).name} has no logs")
    return found


def silent(a: Side, b: Side, what: str) -> str:
    """Which side does not say."""
    return " and ".join(side.name for side in (a, b) if getattr(side, what) is None) + " does not say"


def compare_plugins(a: Mapping[str, str], b: Mapping[str, str], found: Differences) -> None:
    """Names, and sources where both sides know them."""
    found.plugins_added = sorted(set(b) - set(a))
    found.plugins_removed = sorted(set(a) - set(b))
    both = sorted(set(a) & set(b))
    found.plugins_changed = {name: (a[name], b[name]) for name in both if a[name] and b[name] and a[name] != b[name]}


def compare_settings(a: Side, b: Side, found: Differences) -> None:
    """Values that differ, and those that one side alone has; logs print a part of them, so there only what both have."""
    assert a.settings is not None and b.settings is not None
    whole = a.kind != "logs" and b.kind != "logs"
    for name in sorted({*a.settings, *b.settings}):
        one, other = a.settings.get(name), b.settings.get(name)
        told = name in a.settings and name in b.settings
        if name in RUN_TIME or not (told or whole):
            continue
        if not told or not same_value(one, other):
            found.settings[name] = one, other


def same_value(one: Any, other: Any) -> bool:
    """Equal, or equal numbers where one side is text."""
    if one == other:
        return True
    try:
        return float(one) == float(other)
    except (TypeError, ValueError):
        return str(one) == str(other)


def curve(a: Mapping[int, RunRecord], b: Mapping[int, RunRecord]) -> list[tuple[int, float, float]]:
    """(step, mean loss of A, mean loss of B) at a few of the steps that all runs have logged."""
    losses = [mean_losses(runs) for runs in (a, b)]
    steps = sorted(set(losses[0]) & set(losses[1]))
    chosen = sorted({steps[round(place * (len(steps) - 1) / (POINTS - 1))] for place in range(POINTS)}) if steps else []
    return [(step, losses[0][step], losses[1][step]) for step in chosen]


def mean_losses(runs: Mapping[int, RunRecord]) -> dict[int, float]:
    """step -> mean over the runs, where all of them have it."""
    each = [{line.step: line.loss for line in run.train} for run in runs.values()]
    common = set.intersection(*(set(one) for one in each))
    return {step: statistics.fmean(one[step] for one in each) for step in common}


def results(a: Mapping[int, RunRecord], b: Mapping[int, RunRecord]) -> Results:
    """Scores, their difference, and how likely one as large is by chance."""
    scores = tuple(
        {seed: float(run.headline.val_bpb) for seed, run in runs.items() if run.headline is not None} for runs in (a, b)
    )
    one, other = scores
    shared = sorted(seed for seed in set(one) & set(other) if seed >= 0)
    difference = statistics.fmean(other.values()) - statistics.fmean(one.values()) if one and other else None
    p, test = None, "no test: two seeds a side are wanted"
    try:
        if len(shared) > 1:
            pairs = [other[seed] - one[seed] for seed in shared]
            difference = statistics.fmean(pairs)
            p, test = two_sided(one_sample(pairs, 0.0).p), f"paired t over {len(shared)} seeds"
        elif len(one) > 1 and len(other) > 1:
            p, test = two_sided(welch([*other.values()], [*one.values()]).p), "Welch's t"
    except ValueError as error:
        test = f"no test: {error}"
    figures = {name: (mean_of(a, read), mean_of(b, read)) for name, read in FIGURES.items()}
    return Results(
        (one, other), difference, p, test, {name: pair for name, pair in figures.items() if pair != (None, None)}
    )


def two_sided(lower: float) -> float:
    """Of a lower tail."""
    return min(1.0, 2 * min(lower, 1 - lower))


def mean_of(runs: Mapping[int, RunRecord], read: Any) -> float | None:
    """Over the runs that say."""
    known = [value for run in runs.values() if (value := read(run)) is not None]
    return statistics.fmean(known) if known else None
