"""What is not the same on two sides, and whether the difference of their results is more than chance.

p        two-sided: paired t over the seeds that both have, if there are two; else Welch's t, two values a side at least
curves   the training loss at steps that both have logged
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pgolf.compare.scores import compare_scores
from pgolf.compare.sides import RUN_TIME, Side
from pgolf.logs import RunRecord

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
    found = Differences(whole="logs" not in (a.kind, b.kind))
    for side in (a, b):
        found.unknown += [f"{side.name}: {note}" for note in side.notes]
    compare_plugins(a, b, found)
    compare_settings(a, b, found)
    compare_bytes(a, b, found)
    compare_runs(a, b, found)
    return found


def silent(a: Side, b: Side, what: str) -> str:
    """Which side does not say."""
    return " and ".join(side.name for side in (a, b) if getattr(side, what) is None) + " does not say"


def compare_plugins(a: Side, b: Side, found: Differences) -> None:
    """Names, and sources where both sides know them."""
    if a.plugins is None or b.plugins is None:
        found.unknown.append("plugins: " + silent(a, b, "plugins"))
        return
    one, other = a.plugins, b.plugins
    found.plugins_added = sorted(set(other) - set(one))
    found.plugins_removed = sorted(set(one) - set(other))
    pairs = {name: (one[name], other[name]) for name in sorted(set(one) & set(other))}
    found.plugins_changed = {name: pair for name, pair in pairs.items() if all(pair) and pair[0] != pair[1]}


def compare_settings(a: Side, b: Side, found: Differences) -> None:
    """Values that differ, and those that one side alone has; logs print a part of them, so there only what both have."""
    if a.settings is None or b.settings is None:
        found.unknown.append("settings: " + silent(a, b, "settings"))
        return
    for name in sorted({*a.settings, *b.settings} - {*RUN_TIME}):
        one, other = a.settings.get(name), b.settings.get(name)
        told = name in a.settings and name in b.settings
        if (told and not same_value(one, other)) or (not told and found.whole):
            found.settings[name] = one, other


def compare_bytes(a: Side, b: Side, found: Differences) -> None:
    """Of the file, and of each plugin, the one that has become smallest first."""
    if a.code_bytes is not None and b.code_bytes is not None:
        found.code_bytes = a.code_bytes, b.code_bytes
    if a.plugin_bytes is not None and b.plugin_bytes is not None:
        names = {*a.plugin_bytes, *b.plugin_bytes}
        pairs = {name: (a.plugin_bytes.get(name, 0), b.plugin_bytes.get(name, 0)) for name in names}
        found.plugin_bytes = dict(sorted(pairs.items(), key=lambda item: (item[1][0] - item[1][1], item[0])))


def compare_runs(a: Side, b: Side, found: Differences) -> None:
    """Curves and results."""
    if a.runs and b.runs:
        found.curves = curve(a.runs, b.runs)
        found.results = results(a.runs, b.runs)
    elif a.runs or b.runs:
        found.unknown.append(f"results: {(b if a.runs else a).name} has no logs")


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
    found = compare_scores(*scores)
    figures = {name: (mean_of(a, read), mean_of(b, read)) for name, read in FIGURES.items()}
    known = {name: pair for name, pair in figures.items() if pair != (None, None)}
    return Results((scores[0], scores[1]), found.difference, found.p, found.test, known)


def mean_of(runs: Mapping[int, RunRecord], read: Any) -> float | None:
    """Over the runs that say."""
    known = [value for run in runs.values() if (value := read(run)) is not None]
    return statistics.fmean(known) if known else None
