"""Trials on Ray: it places them on CPUs and GPUs of one machine or many, stops bad ones, and starts again what a dead node had.

Everything that a trial is, is in `trial`; everything that is kept, in `store`, which this process alone writes, as soon as a
trial says its row. Ray's own records of the experiment are thrown away.
"""

from __future__ import annotations

import base64
import functools
import importlib.util
import json
import logging
import math
import os
import socket
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgolf.errors import PgolfError
from pgolf.files import write_atomically
from pgolf.sweep.space import Point, text_of
from pgolf.sweep.store import FAILED, STOPPED, Row, Store, read_row

if TYPE_CHECKING:
    from pgolf.manager import Registry
    from pgolf.sweep.search import Search
    from pgolf.sweep.trial import Job

LAST_MARK = 10**12
"""Clock of the report that has the row: past every mark."""
NO_SCORE = 1e9
MOST_FAILURES = 3
"""How often a trial may lose its node."""
OBJECT_BYTES = 128 * 2**20
CONNECT_SECONDS = 10.0
INSTALL = "pip install 'pgolf[sweep]'"
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",  # trials are what the machine is for
}
Say = Callable[[Row], object]


@dataclass(frozen=True)
class Place:
    """Where trials run.

    Attributes:
        address: of a Ray cluster's head, "" for a cluster of this machine alone.
        cpus, gpus: of one trial; None: GPUs as many as it has processes where there are any, CPUs likewise.
        concurrent: most trials at a time, None for as many as fit.
    """

    address: str = ""
    cpus: int | None = None
    gpus: int | None = None
    concurrent: int | None = None


def check_installed() -> None:
    """PG004 without Ray tune."""
    missing = [name for name in ("ray", "pyarrow") if importlib.util.find_spec(name) is None]
    if missing:
        text = f"pgolf sweep needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed"
        raise PgolfError("PG004", text, "command line", INSTALL)


def check_answers(address: str) -> None:
    """PG004 where nothing listens at HOST:PORT: Ray itself would ask for minutes."""
    host, colon, port = address.rpartition(":")
    if not colon or "/" in address or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        text = f"no Ray cluster answers at {address}: {getattr(error, 'strerror', None) or error}"
        raise PgolfError("PG004", text, "--address", "give the HOST:PORT that `ray start --head` printed") from None


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Ray, started here or joined; what was started ends with the block.

    Raises:
        PgolfError: PG004 where nothing answers at the address, or nothing can be started.
    """
    check_installed()
    check_answers(address)
    os.environ |= {name: os.environ.get(name, value) for name, value in ENVIRONMENT.items()}
    import ray

    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL, "configure_logging": True}
    if address:
        options["address"] = address
    else:
        options |= {"include_dashboard": False, "object_store_memory": OBJECT_BYTES, "address": "local"}
    try:
        ray.init(**options)
    except Exception as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        hint = "give the HOST:PORT that `ray start --head` printed, from a machine of the cluster"
        text = f"no Ray cluster answers at {address}: {said}" if address else f"Ray cannot be started here: {said}"
        raise PgolfError("PG004", text, "--address" if address else "", hint if address else "") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def resources(ray: Any, place: Place, nproc: int, smoke_cpus: int) -> dict[str, float]:
    """What a trial takes.

    Raises:
        PgolfError: PG004 where no machine of the cluster has as much, since Ray would wait for one for ever.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    some_gpu = any(node.get("GPU", 0) for node in nodes)
    gpus = place.gpus if place.gpus is not None else nproc * some_gpu
    cpus = place.cpus if place.cpus is not None else nproc if gpus else smoke_cpus * nproc
    if not any(node.get("CPU", 0) >= cpus and node.get("GPU", 0) >= gpus for node in nodes):
        best: dict[str, float] = max(nodes, key=lambda node: (node.get("GPU", 0), node.get("CPU", 0)), default={})
        text = f"a trial takes {cpus} CPUs and {gpus} GPUs, and the largest machine has"
        text += f" {best.get('CPU', 0):g} and {best.get('GPU', 0):g}"
        raise PgolfError("PG004", text, "command line", "give fewer --cpus or --gpus, or [train] nproc")
    return {"cpu": cpus, "gpu": gpus}


@functools.cache
def registry_of(plugin_dirs: tuple[Path, ...]) -> Registry:
    """The plugins, once for all trials of a process."""
    from pgolf.manager import load_registry

    return load_registry(plugin_dirs)


def trainable(job: Job, driver_node: str) -> Callable[[dict[str, Any]], None]:
    """What Ray runs for a point."""

    def run(config: dict[str, Any]) -> None:
        import ray
        from ray import tune

        from pgolf.sweep.trial import run_trial

        def report(clock: float, bpb: float) -> None:
            tune.report({"clock": clock, "val_bpb": bpb})

        row = run_trial(job, json.loads(config["point"]), registry_of(job.plugin_dirs), report)
        score = row.val_bpb if row.val_bpb is not None else NO_SCORE
        found = {"clock": LAST_MARK, "val_bpb": score, "row": row.dump()}
        if ray.get_runtime_context().get_node_id() != driver_node:
            found["logs"] = pack_logs(job.folder / row.folder / "logs")
        tune.report(found)

    return run


def pack_logs(folder: Path) -> str:
    """The logs of a trial that may be on a disk of its own."""
    texts = {path.name: path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("*.log")}
    return base64.b64encode(zlib.compress(json.dumps(texts).encode())).decode()


def unpack_logs(packed: str, folder: Path) -> None:
    """Write those that are not here."""
    for name, text in json.loads(zlib.decompress(base64.b64decode(packed))).items():
        path = folder / Path(name).name
        if not path.exists():
            write_atomically(path, text.encode())


class Keeper:
    """Rows as they come, into the store and to the search; how many trials lost their node."""

    def __init__(self, job: Job, search: Search, store: Store, say: Say) -> None:
        self.job, self.search, self.store, self.say = job, search, store, say
        self.points: dict[str, Point] = {}
        self.marks: dict[str, list[list[float]]] = {}
        self.started: dict[str, float] = {}
        self.first_seconds: float | None = None
        self.begin = time.monotonic()
        self.rows: list[Row] = []

    def ask(self, trial: str) -> Point | None:
        """The point of a new trial."""
        point = self.search.ask()
        if point is not None:
            self.points[trial] = point
            self.started[trial] = time.time()
        return point

    def result(self, trial: str, result: dict[str, Any]) -> None:
        """A mark, or the row."""
        if "row" not in result:
            marks = self.marks.setdefault(trial, [])
            if not marks or result["clock"] > marks[-1][0]:  # a trial that is started again passes them again
                marks.append([result["clock"], result["val_bpb"]])
            return
        row = read_row(result["row"])
        if "logs" in result:
            unpack_logs(result["logs"], self.job.folder / row.folder / "logs")
        self.keep(trial, row)

    def ended(self, trial: str, problem: str) -> None:
        """A trial without a row: stopped at a mark, or lost."""
        from pgolf.sweep.trial import canonical_point

        point = canonical_point(self.job, self.points[trial], registry_of(self.job.plugin_dirs))
        row = Row(self.job.key(point), self.job.fingerprint, point, FAILED if problem else STOPPED, problem)
        row.marks = self.marks.get(trial, [])
        if row.marks:
            row.clock, row.val_bpb = row.marks[-1]
        row.folder, row.started, row.ended = f"trials/{row.key}", self.started[trial], time.time()
        row.trial_seconds = row.ended - row.started
        self.keep(trial, row)

    def keep(self, trial: str, row: Row) -> None:
        """Store it, and tell the search and the user."""
        self.store.put(row)
        if self.first_seconds is None:
            self.first_seconds = time.monotonic() - self.begin
        self.rows.append(row)
        self.search.tell(self.points[trial], row)
        self.say(row)


def run_on_ray(job: Job, keeper: Keeper, place: Place, smoke_cpus: int) -> None:
    """All trials that the search asks for.

    Raises:
        PgolfError: PG004, see `connected` and `resources`.
    """
    with connected(place.address) as ray, tempfile.TemporaryDirectory(prefix="pgolf-sweep-") as folder:
        from ray import tune
        from ray.tune.schedulers import AsyncHyperBandScheduler

        taken = resources(ray, place, job.nproc, smoke_cpus)
        scheduler = None
        if job.stop is not None:
            scheduler = AsyncHyperBandScheduler(
                time_attr="clock",
                metric="val_bpb",
                mode="min",
                grace_period=job.stop.first,
                reduction_factor=job.stop.factor,
                max_t=LAST_MARK,
            )
        searcher, callback = adapters(keeper)
        run = trainable(job, ray.get_runtime_context().get_node_id())
        tune.Tuner(
            tune.with_resources(run, taken),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=scheduler,
                num_samples=-1,
                reuse_actors=True,
                max_concurrent_trials=place.concurrent,
            ),
            run_config=tune.RunConfig(
                storage_path=folder,
                name="sweep",
                verbose=0,
                callbacks=[callback],
                failure_config=tune.FailureConfig(max_failures=MOST_FAILURES),
            ),
        ).fit()


def adapters(keeper: Keeper) -> tuple[Any, Any]:
    """The keeper as Ray's searcher, which gives points, and as its callback, which sees results.

    Ray writes both to its record of the experiment, which nobody reads: without what they hold.
    """
    from ray import tune
    from ray.tune.search import Searcher

    class Points(Searcher):  # type: ignore[misc]
        def __init__(self, keeper: Keeper) -> None:
            super().__init__(metric="val_bpb", mode="min")
            self.keeper = keeper

        def __getstate__(self) -> dict[str, Any]:
            return {}

        def suggest(self, trial_id: str) -> dict[str, str] | str:
            point = self.keeper.ask(trial_id)
            return Searcher.FINISHED if point is None else {"point": text_of(point)}

        def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
            pass

        def save(self, checkpoint_path: str) -> None:
            Path(checkpoint_path).write_text("")

        def restore(self, checkpoint_path: str) -> None:
            raise NotImplementedError

    class Results(tune.Callback):  # type: ignore[misc]
        def __init__(self, keeper: Keeper) -> None:
            self.keeper = keeper

        def __getstate__(self) -> dict[str, Any]:
            return {}

        def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: Any, **info: Any) -> None:
            self.keeper.result(trial.trial_id, result)

        def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
            # Ray writes what it remembers of all trials again and again.
            had_row = trial.last_result.pop("row", None)
            trial.last_result.pop("logs", None)
            if had_row is None:
                self.keeper.ended(trial.trial_id, "")

        def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
            self.keeper.ended(trial.trial_id, f"it lost its process or its machine {MOST_FAILURES + 1} times")

    return Points(keeper), Results(keeper)


def overhead(rows: list[Row]) -> float:
    """Seconds of a trial beside its training program, mean over those that were trained; NaN for none."""
    spent = [row.trial_seconds - row.run_seconds for row in rows if row.trial_seconds and row.run_seconds]
    return sum(spent) / len(spent) if spent else math.nan
