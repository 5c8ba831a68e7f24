"""One trial from its point to its row: recipe, build, training, figures. Whoever runs it, and where, is no matter of it."""

from __future__ import annotations

import hashlib
import math
import re
import socket
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pgolf.errors import PgolfError
from pgolf.sweep.space import Point, recipe_of, text_of
from pgolf.sweep.store import FAILED, FINISHED, OVER, Row

if TYPE_CHECKING:
    from pgolf.manager import Registry
    from pgolf.recipe import Recipe
    from pgolf.run.data import DataPaths
    from pgolf.run.launch import RunOptions, SeedRun, Target
    from pgolf.submission import Made
    from pgolf.sweep.spec import Stop

VALIDATED = re.compile(r"^step:(\d+)/\d+ val_loss:\S+ val_bpb:([\d.]+) train_time:(\d+)ms")
Report = Callable[[float, float], object]


@dataclass(frozen=True)
class Job:
    """What all trials of a sweep share; goes to other machines, on which data and plugin folders have the same paths.

    Attributes:
        folder: of the sweep, absolute; a trial has a folder in it.
        home: where the embedded sample is made, for smoke trials without data.
        fingerprint: see `fingerprint_of`.
        sources: hash of the sources of engine and plugins: a machine with others is refused.
    """

    recipe: Recipe
    smoke: bool
    seeds: tuple[int, ...]
    nproc: int
    iterations: int | None
    max_wallclock_seconds: float | None
    forecast: bool
    stop: Stop | None
    data: Path | None
    tokenizer: Path | None
    plugin_dirs: tuple[Path, ...]
    folder: Path
    home: Path
    fingerprint: str
    sources: str

    def key(self, point: Point) -> str:
        """Of a trial; `point` is canonical."""
        return hashlib.sha256(f"{self.fingerprint} {text_of(point)}".encode()).hexdigest()[:16]


def sources_of(registry: Registry) -> str:
    """Hash of everything that a trained program is made of."""
    import pgolf
    import pgolf.runtime
    from pgolf.lock import file_hash

    files = sorted(Path(pgolf.runtime.__path__[0]).glob("*.py"))
    plugins = sorted((name, file_hash(loaded.path)) for name, loaded in registry.plugins.items())
    seen = [pgolf.__version__, *map(file_hash, files), *(f"{name} {digest}" for name, digest in plugins)]
    return hashlib.sha256("\n".join(seen).encode()).hexdigest()


def fingerprint_of(job: Job) -> str:
    """Of all that two equal points must share to come to the same: not of the space, which may grow."""
    recipe = job.recipe
    parts = [recipe.layers, recipe.remove, sorted(recipe.settings.items()), recipe.challenge, job.smoke, job.seeds]
    parts += [job.nproc, job.iterations, job.max_wallclock_seconds, job.stop and job.stop.every, job.data, job.sources]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


class Marks:
    """BPB at fixed marks of the clock, so that trials are compared at equal training time; by the line between two validations.

    Args:
        stop: the first mark, their factor and the clock.
    """

    def __init__(self, stop: Stop) -> None:
        self.stop, self.next = stop, stop.first
        self.before: tuple[float, float] | None = None

    def line(self, text: str) -> list[tuple[float, float]]:
        """(mark, BPB) of the marks that a line of the log has passed."""
        match = VALIDATED.match(text)
        if match is None:
            return []
        now = (float(match[1]) if self.stop.clock == "steps" else float(match[3]) / 1000, float(match[2]))
        passed = []
        while now[0] >= self.next and math.isfinite(now[1]):
            passed.append((self.next, between(self.before, now, self.next)))
            self.next *= self.stop.factor
        self.before = now
        return passed


def between(before: tuple[float, float] | None, after: tuple[float, float], clock: float) -> float:
    """The score at a time between two; without an earlier one, the later."""
    if before is None or after[0] <= before[0]:
        return after[1]
    share = (clock - before[0]) / (after[0] - before[0])
    return before[1] + share * (after[1] - before[1])


def canonical_point(job: Job, point: Point, registry: Registry) -> Point:
    """A point without settings that make no difference; one that cannot be built stays as it is, and fails as a trial."""
    try:
        return recipe_of(job.recipe, point, registry)[1]
    except PgolfError:
        return point


def run_trial(job: Job, point: Point, registry: Registry, report: Report) -> Row:
    """Build, train with every seed, and say what came out; what goes wrong is in the row.

    Args:
        report: is told (clock, BPB) at each mark while the first seed trains, and may raise to stop the trial.
    """
    started, begin = time.time(), time.monotonic()
    row = Row(job.key(canonical_point(job, point, registry)), job.fingerprint, point, FAILED, started=started)
    row.host, row.folder = socket.gethostname(), f"trials/{row.key}"
    try:
        if sources_of(registry) != job.sources:
            text = f"{row.host} has other sources of pgolf or of plugins than the machine that started the sweep"
            raise PgolfError("PG505", text, hint="install the same version on all machines")
        fill(row, job, registry, report)
    except PgolfError as error:
        row.problem = f"{error.message} ({error.where})" if error.where else error.message
    row.trial_seconds, row.ended = time.monotonic() - begin, time.time()
    return row


def fill(row: Row, job: Job, registry: Registry, report: Report) -> None:
    """Everything that may fail."""
    from pgolf.run.launch import RunOptions, check_ready
    from pgolf.run.target import built_target
    from pgolf.submission import make, smoke_recipe, write_submission

    recipe, row.point = recipe_of(job.recipe, row.point, registry)
    # Before it is made small: what is swept stays as the point says.
    recipe = smoke_recipe(recipe, registry) if job.smoke else recipe
    if job.stop is not None:
        recipe = recipe.override((), {"val_loss_every": job.stop.every})
    recipe = replace(recipe, name=f"{job.recipe.name} {row.key}")
    made = make(recipe, registry, smoke=job.smoke)
    row.code_bytes = len(made.built.code)
    if job.forecast and is_over(row, recipe, registry, job.smoke):
        return
    root = job.folder / row.folder
    target = built_target(root, write_submission(made, root))
    check_ready(target)
    options = RunOptions(
        find_job_data(job, made, registry), job.nproc, job.iterations, job.max_wallclock_seconds, early_stop=True
    )
    train(row, job, target, options, report)


def is_over(row: Row, recipe: Recipe, registry: Registry, smoke: bool) -> bool:
    """Is it sure to be over the cap? Then the row says so."""
    from pgolf.forecast.forecast import forecast

    found = forecast(recipe, registry, None, None, smoke)
    if found.fits or not found.certain:
        return False
    row.state, row.bytes_total = OVER, found.total
    row.problem = f"forecast at {found.total:,} bytes, {found.total - found.cap:,} over the cap"
    return True


def find_job_data(job: Job, made: Made, registry: Registry) -> DataPaths:
    """Shards and tokenizer that fit this trial, checked."""
    from pgolf.data.sample import ensure_sample
    from pgolf.run.data import DataPaths, selection_data
    from pgolf.transforms import transform_of

    selection = made.resolved.selection
    if job.smoke and job.data is None:
        transform = transform_of(selection.plugins, selection.settings.as_dict(), registry)
        sample = ensure_sample(job.home / "data", transform=transform)
        return DataPaths(sample.data_path, (job.tokenizer or sample.tokenizer_path).resolve())
    return selection_data(selection, registry, job.data, job.tokenizer, job.smoke)


def train(row: Row, job: Job, target: Target, options: RunOptions, report: Report) -> None:
    """One run for each seed, and their figures together."""
    from pgolf.run.launch import run_seed

    marks = Marks(job.stop) if job.stop is not None else None

    def watch(line: str) -> None:
        for clock, bpb in marks.line(line) if marks is not None else ():
            row.marks.append([clock, bpb])
            report(clock, bpb)

    def pass_by(line: str) -> None:
        pass

    begin = time.monotonic()
    runs: list[SeedRun] = []
    for seed in job.seeds:
        runs.append(run_seed(target, seed, options, pass_by if runs else watch))
        if problem := runs[-1].problem:
            row.problem = f"seed {seed}: {problem}"
            return
    row.run_seconds = time.monotonic() - begin
    summarize(row, runs)


def summarize(row: Row, runs: list[SeedRun]) -> None:
    """Means of scores and times, the most bytes."""
    records = [run.record for run in runs]
    heads = [record.headline for record in records]
    totals = [record.total_bytes for record in records]
    if None in heads or None in totals:
        row.problem = "its log lacks a score or bytes"
        return
    row.scores = {str(run.seed): float(head.val_bpb) for run, head in zip(runs, heads, strict=True) if head}
    row.val_bpb = statistics.fmean(row.scores.values())
    row.val_loss = statistics.fmean(float(head.val_loss) for head in heads if head)
    row.bytes_total = max(total for total in totals if total is not None)
    row.steps = min((record.steps for record in records if record.steps), default=None)
    times = [record.train_ms for record in records if record.train_ms is not None]
    row.train_seconds = statistics.fmean(times) / 1000 if times else None
    row.state = FINISHED
