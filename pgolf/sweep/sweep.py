"""A sweep from its file to its results."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgolf.challenge import find_challenge
from pgolf.sweep.spec import Spec, check_space, load_spec
from pgolf.sweep.store import DONE, FINISHED, Row, Store
from pgolf.sweep.trial import Job, canonical_point, fingerprint_of, sources_of

if TYPE_CHECKING:
    from pgolf.manager import Registry
    from pgolf.sweep.cluster import Place

Runner = Callable[[Job, Any, "Place", int], None]


@dataclass(frozen=True)
class Wishes:
    """What the command line says beside the file."""

    path: Path
    folder: Path | None = None
    data: Path | None = None
    tokenizer: Path | None = None
    plugin_dirs: tuple[Path, ...] = ()


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        kept: trials that earlier runs had finished.
        rows: of this run.
        first_seconds: from the command's start to the first row, None without one.
    """

    folder: Path
    cap: int
    kept: list[Row] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    first_seconds: float | None = None
    seconds: float = 0.0

    @property
    def everything(self) -> list[Row]:
        """Rows of this state of the sweep."""
        return [*self.kept, *self.rows]

    @property
    def failed(self) -> list[Row]:
        """Trials that came to nothing, other than by being stopped."""
        return [row for row in self.rows if row.state not in DONE]

    @property
    def best(self) -> Row | None:
        """The lowest BPB that fits."""
        return best_of(self.everything, self.cap)


def best_of(rows: list[Row], cap: int) -> Row | None:
    """The lowest BPB of the finished trials that fit."""
    fit = [row for row in rows if row.state == FINISHED and row.bytes_total is not None and row.bytes_total <= cap]
    return min(fit, key=lambda row: (row.val_bpb, row.bytes_total), default=None)


def make_job(spec: Spec, wishes: Wishes, registry: Registry, folder: Path) -> Job:
    """What all trials share."""
    job = Job(
        recipe=spec.recipe,
        smoke=spec.smoke,
        seeds=spec.seeds,
        nproc=spec.nproc,
        iterations=spec.iterations,
        max_wallclock_seconds=spec.max_wallclock_seconds,
        forecast=spec.forecast,
        stop=spec.stop,
        data=None if wishes.data is None else wishes.data.resolve(),
        tokenizer=None if wishes.tokenizer is None else wishes.tokenizer.resolve(),
        plugin_dirs=tuple(path.resolve() for path in wishes.plugin_dirs),
        folder=folder.resolve(),
        home=Path.cwd(),
        fingerprint="",
        sources=sources_of(registry),
    )
    return replace(job, fingerprint=fingerprint_of(job))


def run_sweep(wishes: Wishes, place: Place, say: Callable[[Row, int], object], runner: Runner | None = None) -> Outcome:
    """Run every trial that is not finished.

    Args:
        say: is told each row, and how many there are with it.
        runner: runs the trials that a keeper's search asks for; Ray if None.

    Raises:
        PgolfError: for a file, place or folder that cannot be used, before anything is run.
    """
    from pgolf.submission import default_folder
    from pgolf.sweep.cluster import Keeper, check_installed, registry_of, run_on_ray
    from pgolf.sweep.search import open_search

    begin = time.monotonic()
    if runner is None:
        check_installed()
    spec = load_spec(wishes.path)
    registry = registry_of(tuple(path.resolve() for path in wishes.plugin_dirs))
    check_space(spec, registry)
    folder = wishes.folder or Path("runs") / f"sweep-{default_folder(spec.name).name}"
    job = make_job(spec, wishes, registry, folder)
    check_data_once(job, spec, registry)
    store = Store(folder)
    outcome = Outcome(folder, find_challenge(spec.recipe.challenge).artifact_cap)
    outcome.kept = [row for row in store.rows(job.fingerprint) if row.state in DONE]
    search = open_search(spec, partial(canonical_point, job, registry=registry), outcome.kept, outcome.cap)
    store.note("sweep", describe(spec, job, outcome.cap))
    keeper = Keeper(job, search, store, lambda row: say(row, len(outcome.kept) + len(keeper.rows)))
    keeper.begin = begin
    chosen = place_with(place, spec)
    (runner or run_on_ray)(job, keeper, chosen, smoke_cpus())
    outcome.rows, outcome.first_seconds = keeper.rows, keeper.first_seconds
    outcome.seconds = time.monotonic() - begin
    return outcome


def place_with(place: Place, spec: Spec) -> Place:
    """The command line wins over the file."""
    cpus = spec.cpus if place.cpus is None else place.cpus
    return replace(place, cpus=cpus, gpus=spec.gpus if place.gpus is None else place.gpus)


def smoke_cpus() -> int:
    """CPUs that a process without a GPU has use for."""
    from pgolf.run.launch import smoke_threads

    return smoke_threads()


def check_data_once(job: Job, spec: Spec, registry: Registry) -> None:
    """Data that are missing would fail every trial: found out here, with the base recipe."""
    from pgolf.run.data import selection_data
    from pgolf.select import select

    if not (job.smoke and job.data is None):
        selection_data(select(spec.recipe, registry), registry, job.data, job.tokenizer, job.smoke)


def describe(spec: Spec, job: Job, cap: int) -> dict[str, Any]:
    """What the report needs beside the rows."""
    return {
        "name": spec.name,
        "method": spec.method,
        "axes": [axis.name for axis in spec.space.axes],
        "fingerprint": job.fingerprint,
        "cap": cap,
        "stop": None if job.stop is None else [job.stop.first, job.stop.factor, job.stop.clock],
    }
