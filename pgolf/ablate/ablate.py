"""Runs pairs, keeps every run, and says what a change is worth.

    effect = mean over seeds s of score(variant, s) - score(base, s)        paired: seed, order of data and start are the same

A tensor's start depends on the seed and its own name, so what two variants share starts equal.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pgolf.ablate.variants import BASE, Variant
from pgolf.files import write_atomically
from pgolf.run.launch import RunOptions, Target, check_ready, run_seed
from pgolf.run.target import built_target
from pgolf.statistics import student
from pgolf.submission import write_submission


@dataclass(frozen=True)
class Run:
    """One run's figures: score in bits per byte, bytes of artifact and code, steps, and seconds of training."""

    seed: int
    val_bpb: float
    bytes_total: int
    steps: int
    train_seconds: float


@dataclass(frozen=True)
class Effect:
    """What a variant is worth against the base, over the seeds that both have.

    Attributes:
        bpb: mean difference of scores; below 0 the variant is better.
        error: standard error of that mean, NaN for one seed.
        p: two-sided, of no difference, NaN for one seed.
        bytes: mean difference of bytes.
        code_bytes: that of the file alone.
        step_seconds: difference of the seconds that a step takes.
    """

    seeds: int
    bpb: float
    error: float
    p: float
    bytes: float
    code_bytes: int
    step_seconds: float


@dataclass(frozen=True)
class Outcome:
    """All that is known of one variant; `effect` is None for the base, and without a pair."""

    name: str
    runs: tuple[Run, ...]
    effect: Effect | None
    lost: tuple[str, ...]
    problem: str


@dataclass(frozen=True)
class Ablation:
    """Outcomes, the base first; `noise` is the standard deviation of the base's score over seeds, NaN for fewer than two."""

    outcomes: tuple[Outcome, ...]
    noise: float

    @property
    def failed(self) -> list[Outcome]:
        """Those that could not be built, or whose run failed."""
        return [one for one in self.outcomes if one.problem]

    def as_record(self) -> dict[str, Any]:
        """For `--json`; what is not known is null."""

        def plain(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: plain(item) for key, item in value.items()}
            if isinstance(value, (list, tuple)):
                return [plain(item) for item in value]
            return None if isinstance(value, float) and not math.isfinite(value) else value

        found: dict[str, Any] = plain({"noise": self.noise, "variants": [asdict(one) for one in self.outcomes]})
        return found


def run_pairs(
    variants: Sequence[Variant],
    seeds: Sequence[int],
    options: RunOptions,
    folder: Path,
    say: Callable[[str], None],
    line: Callable[[str], None] = lambda text: None,
) -> Ablation:
    """Every variant with the first seed, then with the next: whoever stops early has all of them.

    Runs that `folder` has of the same file and the same options are kept. A variant whose run fails is not tried again.

    Raises:
        PgolfError: from writing, PG001 or PG004 where something that runs need is missing.
    """
    runs: dict[str, dict[int, Run]] = {one.name: {} for one in variants}
    problems = {one.name: one.problem for one in variants}
    targets = {one.name: prepare(one, folder) for one in variants if one.made}
    for target in targets.values():
        check_ready(target)
    for seed in seeds:
        for one in variants:
            if problems[one.name]:
                continue
            found = run_once(targets[one.name], one, seed, options, say, line)
            if isinstance(found, str):
                problems[one.name] = f"seed {seed}: {found}"
            else:
                runs[one.name][seed] = found
    base = runs[BASE]
    scores = [run.val_bpb for run in base.values()]
    code = {one.name: len(one.made.built.code) for one in variants if one.made}
    outcomes = tuple(
        Outcome(
            one.name,
            tuple(runs[one.name].values()),
            None if one.name == BASE else compare(base, runs[one.name], code.get(one.name, 0) - code[BASE]),
            one.lost,
            problems[one.name],
        )
        for one in variants
    )
    return Ablation(outcomes, statistics.stdev(scores) if len(scores) > 1 else math.nan)


def prepare(variant: Variant, folder: Path) -> Target:
    """Write the build into its folder."""
    assert variant.made is not None
    root = folder / variant.name
    return built_target(root, write_submission(variant.made, root))


def run_once(
    target: Target,
    variant: Variant,
    seed: int,
    options: RunOptions,
    say: Callable[[str], None],
    line: Callable[[str], None],
) -> Run | str:
    """A run's figures, of now or of before; what went wrong as text."""
    assert variant.made is not None
    path = target.root / "runs" / f"seed{seed}.json"
    key = {
        "code_sha256": variant.made.built.sha256,
        "data": str(options.data.data_path.resolve()),
        "iterations": options.iterations,
        "max_wallclock_seconds": options.max_wallclock_seconds,
        "nproc": options.nproc,
    }
    kept = read_run(path, key)
    if kept is not None:
        say(f"{variant.name}, seed {seed}: kept, {kept.val_bpb:.4f} BPB")
        return kept
    say(f"{variant.name}, seed {seed}: {target.root / 'logs' / f'train_seed{seed}.log'}")
    done = run_seed(target, seed, options, line)
    record = done.record
    if done.problem or record.headline is None or record.total_bytes is None or not record.steps:
        return done.problem or "its log lacks a score, bytes or steps"
    seconds = (record.train_ms or 0.0) / 1000
    run = Run(seed, float(record.headline.val_bpb), record.total_bytes, record.steps, seconds)
    write_atomically(path, json.dumps({"key": key, "run": asdict(run)}, indent=2).encode())
    say(f"{variant.name}, seed {seed}: {run.val_bpb:.4f} BPB, {run.bytes_total:,} bytes")
    return run


def read_run(path: Path, key: dict[str, Any]) -> Run | None:
    """A finished run with this key; None for none, or for a file that is damaged."""
    try:
        found = json.loads(path.read_bytes())
        return Run(**found["run"]) if found["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def compare(base: dict[int, Run], other: dict[int, Run], code_bytes: int) -> Effect | None:
    """The pairs of the seeds that both have; None for no such seed."""
    pairs = [(base[seed], other[seed]) for seed in base if seed in other]
    if not pairs:
        return None
    differences = [new.val_bpb - old.val_bpb for old, new in pairs]
    mean, error, p = statistics.fmean(differences), math.nan, math.nan
    if len(pairs) > 1:
        error = statistics.stdev(differences) / math.sqrt(len(pairs))
        t = abs(mean) / error if error else math.inf if mean else 0.0
        p = 2 * student(-t, len(pairs) - 1)
    return Effect(
        len(pairs),
        mean,
        error,
        p,
        statistics.fmean(new.bytes_total - old.bytes_total for old, new in pairs),
        code_bytes,
        statistics.fmean(new.train_seconds / new.steps - old.train_seconds / old.steps for old, new in pairs),
    )
