"""Starts the training program once per seed and keeps what it leaves: log and artifact, also of a run that fails."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgolf.component import Need
from pgolf.errors import PgolfError
from pgolf.files import write_atomically, write_errors
from pgolf.lock import file_hash
from pgolf.logs import RunRecord, parse_log
from pgolf.needs import how_to_install, missing_needs
from pgolf.run import resume
from pgolf.run.data import DataPaths
from pgolf.run.nodes import Link, Nodes
from pgolf.run.process import stream
from pgolf.run.watcher import StopRun, Watcher

FREE_BYTES = 2**30
LAST_LINES = 8
EVERY, RESUME = "PGOLF_CHECKPOINT_EVERY", "PGOLF_RESUME"
"""Environment of a live run: steps between checkpoints; and, to go on from the newest, what was lost since, as a text."""
WEIGHTS = "final_model.pt"
EXPORT_STATE = "final_export.pt"
ARTIFACTS = "final_model.*.ptz"
SMOKE_THREADS = 2
"""Threads of a smoke run: results are equal bit for bit only at one fixed number."""
TORCHRUN_NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
ERROR_LINE = re.compile(r"(?:^|\]:\s*)((?:\w+\.)*\w*(?:Error|Exception|Interrupt)\b.*|error: .*)")


@dataclass(frozen=True)
class Target:
    """What to run, and where its logs and artifacts go.

    Attributes:
        root: gets logs/ and artifacts/.
        script: the file to run.
        settings: every setting of the build.
        needs: packages, programs and devices it needs.
        smoke: whether it is a smoke build.
        python_path: folders the script imports from, for a live run.
        plugins: names of the build's plugins.
        side_files: whether it counts bytes from side files.
    """

    root: Path
    script: Path
    settings: Mapping[str, Any]
    needs: tuple[Need, ...]
    smoke: bool
    python_path: tuple[Path, ...] = ()
    plugins: tuple[str, ...] = ()
    side_files: bool = False


@dataclass(frozen=True)
class RunOptions:
    """What may vary from run to run; None leaves the build's own value."""

    data: DataPaths
    nproc: int = 1
    iterations: int | None = None
    max_wallclock_seconds: float | None = None
    export: bool = False
    """Make and score the artifact from the weights that an earlier run has saved, instead of training."""
    score: bool = False
    """Score the artifact that an earlier run has made, and nothing else."""
    checkpoint_every: int | None = None
    """Steps between checkpoints of a live run."""
    resume: bool = False
    """Go on from the newest checkpoint."""
    early_stop: bool = False
    """End a run whose loss has diverged."""
    nodes: Nodes | None = None
    """This machine among several; None for one alone."""

    @property
    def words(self) -> list[str]:
        """Of the program's command line."""
        return ["export"] * self.export + ["score"] * self.score

    def run_id(self, seed: int) -> str:
        """Name of the program's log."""
        return f"{'score' if self.score else 'train'}_seed{seed}"


@dataclass(frozen=True)
class SeedRun:
    """One run's outcome; `problem` is "" for a good one, and a failed one that has saved what it trained `can_export`."""

    seed: int
    status: int
    log: Path
    record: RunRecord
    artifacts: tuple[Path, ...]
    problem: str
    can_export: bool = False
    checkpoint: int | None = None
    """Steps of the newest checkpoint of a run that has not ended well."""
    last: tuple[str, ...] = ()
    """Last lines of the program."""

    def as_record(self) -> dict[str, Any]:
        """For `--json`."""
        final = self.record.headline
        return {
            "seed": self.seed,
            "status": self.status,
            "problem": self.problem,
            "can_export": self.can_export,
            "checkpoint": self.checkpoint,
            "last_lines": list(self.last),
            "log": str(self.log),
            "artifacts": [str(path) for path in self.artifacts],
            "val_loss": float(final.val_loss) if final else None,
            "val_bpb": float(final.val_bpb) if final else None,
            "bytes_total": self.record.total_bytes,
            "steps": self.record.steps,
            "train_time_ms": self.record.train_ms,
        }


def check_ready(target: Target) -> None:
    """What a run will need, before it starts.

    Raises:
        PgolfError: PG001 for a missing file or a full disk, PG004 for a missing package, program or device.
    """
    if not target.script.is_file():
        raise PgolfError("PG001", "there is no script", str(target.script), "build it with pgolf build")
    missing = missing_needs(target.needs, target.smoke)
    if missing:
        text = "; ".join(f"the {need.kind} {need.name} is not here ({need.why})" for need in missing)
        raise PgolfError("PG004", text, str(target.root), how_to_install(missing))
    free = shutil.disk_usage(target.root).free
    if free < FREE_BYTES:
        text = f"{free >> 20} MiB are free, wanted at least {FREE_BYTES >> 20} MiB"
        raise PgolfError("PG001", text, str(target.root), "make room: a checkpoint and an artifact are written")


def command_line(script: Path, options: RunOptions) -> list[str]:
    """One process is Python alone, several are torchrun's."""
    torchrun = ["-m", "torch.distributed.run", f"--nproc-per-node={options.nproc}"]
    nodes = options.nodes
    if nodes is not None:
        torchrun += [f"--nnodes={nodes.count}", f"--node-rank={nodes.rank}", f"--rdzv-endpoint={nodes.endpoint}"]
    else:
        torchrun.append("--standalone")
    launcher = torchrun if nodes is not None or options.nproc > 1 else []
    return [sys.executable, *launcher, str(script), *options.words]


def run_environment(target: Target, seed: int, options: RunOptions) -> dict[str, str]:
    """This process's environment with the run's values."""
    env = {name: value for name, value in os.environ.items() if name not in TORCHRUN_NAMES}
    env |= options.data.environment() | {"SEED": str(seed), "RUN_ID": options.run_id(seed), "PYTHONUNBUFFERED": "1"}
    if options.checkpoint_every is not None:
        env[EVERY] = str(options.checkpoint_every)
    if options.iterations is not None:
        env["ITERATIONS"] = str(options.iterations)
    if options.max_wallclock_seconds is not None:
        env["MAX_WALLCLOCK_SECONDS"] = repr(options.max_wallclock_seconds)
    if target.smoke:
        env |= smoke_environment()
    if target.python_path:
        inherited = env.get("PYTHONPATH", "")
        env["PYTHONPATH"] = os.pathsep.join([*map(str, target.python_path), *([inherited] if inherited else [])])
    return env


def smoke_environment() -> dict[str, str]:
    """Threads that wait asleep: on a busy machine, spinning ones make a smoke run ten times slower."""
    return {"OMP_NUM_THREADS": str(smoke_threads()), "OMP_WAIT_POLICY": "PASSIVE"}


def smoke_threads() -> int:
    """The fixed number of threads, or fewer where the machine has fewer."""
    return max(1, min(SMOKE_THREADS, os.cpu_count() or 1))


def run_seed(target: Target, seed: int, options: RunOptions, on_line: Callable[[str], None]) -> SeedRun:
    """Train with one seed in `root/artifacts/seed<SEED>`; the log ends up in `root/logs/train_seed<SEED>.log`.

    A score alone leaves its log beside the artifact, since it is no run's. Of several nodes, node 0 makes the folder ready and
    keeps the log; what ranks of the others print is in `train_seed<SEED>.nodes.log`.

    Raises:
        PgolfError: PG001, to go on where there is nothing to go on from; PG004, to start where that would lose a run, or
            for nodes that do not fit together.
    """
    folder = (target.root / "artifacts" / f"seed{seed}").resolve()
    if options.nodes is None:
        return run_here(target, seed, options, folder, on_line, None)
    with Link(options.nodes, node_facts(target, seed, options), target.root.resolve(), on_line) as link:
        done = run_here(target, seed, options, folder, on_line, link)
        link.keep_lines(target.root / "logs" / f"{options.run_id(seed)}.nodes.log")
        return done


def node_facts(target: Target, seed: int, options: RunOptions) -> dict[str, Any]:
    """What all nodes of a run must have in common."""
    limits = (
        f"{options.iterations} steps, {options.max_wallclock_seconds} s, {options.words}, {options.checkpoint_every}"
    )
    script = file_hash(target.script) if target.script.is_file() else "none"
    return {"script": script, "seed": seed, "number of processes": options.nproc, "limits": limits}


def run_here(
    target: Target, seed: int, options: RunOptions, folder: Path, on_line: Callable[[str], None], link: Link | None
) -> SeedRun:
    """This machine's part of a run, which is all of it without a link."""
    env = run_environment(target, seed, options)
    leads = link is None or link.leads
    if leads:
        env |= prepare_folder(folder, seed, options)
    if link is not None:
        link.start()
    if options.resume and not leads:
        env[RESUME] = "what node 0 says"
    tail: deque[str] = deque(maxlen=400)
    watcher = Watcher()

    def receive(line: str) -> None:
        tail.append(line)
        on_line(line)
        if link is not None:
            link.say(line)
        if options.early_stop:
            watcher.line(line)

    run_id = options.run_id(seed)
    written = folder / "logs" / f"{run_id}.txt"
    log = written if options.score else target.root / "logs" / f"{run_id}.log"
    command = command_line(target.script.resolve(), options)
    stopped = ""
    try:
        status = stream(command, folder, env, receive, link.started if link is not None else lambda end: None)
    except StopRun as reason:
        status, stopped = 1, str(reason)
    finally:
        if leads and not options.score:
            keep_log(folder, run_id, log, tail)
    problem = "" if status == 0 else stopped or error_line(tail) or f"the program ended with status {status}"
    if link is not None:
        problem = link.finish(link.cause(problem))
        status = status or int(bool(problem))
    return outcome(folder, seed, options, status, log, problem, tail, leads)


def outcome(
    folder: Path,
    seed: int,
    options: RunOptions,
    status: int,
    log: Path,
    problem: str,
    tail: Sequence[str],
    leads: bool,
) -> SeedRun:
    """What a run has left."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    record = parse_log(text)
    if status == 0 and not (record.headline if options.score else record.finished):
        problem = "the program ended without a final score"
    if not problem and leads and not options.score:
        resume.forget(folder, options.run_id(seed))
    checkpoint = resume.newest(folder / resume.FOLDER)
    can_export = bool(problem) and all((folder / name).is_file() for name in (WEIGHTS, EXPORT_STATE))
    step = None if checkpoint is None else resume.step_of(checkpoint)
    artifacts = tuple(sorted(folder.glob(ARTIFACTS)))
    last = tuple(tail)[-LAST_LINES:] if problem else ()
    return SeedRun(seed, status, log, record, artifacts, problem, can_export, step, last)


def prepare_folder(folder: Path, seed: int, options: RunOptions) -> dict[str, str]:
    """See to it that there is what to go on from, or room for a new run; returns more of the environment."""
    if options.resume:
        return {RESUME: resume.prepare(folder, options.run_id(seed))}
    if options.export and not (folder / WEIGHTS).is_file():
        hint = "train first: only a run that has ended its training has weights to export"
        raise PgolfError("PG001", f"there is no {WEIGHTS} of seed {seed}", str(folder), hint)
    if options.score and not [*folder.glob(ARTIFACTS)]:
        raise PgolfError("PG001", f"there is no artifact of seed {seed}", str(folder), "train first, or --export")
    if not (options.export or options.score):
        resume.refuse_unfinished(folder, f"pgolf train ... --seeds {seed} --resume")
        with write_errors(folder):
            set_aside(folder)
            folder.mkdir(parents=True, exist_ok=True)
    return {}


def set_aside(folder: Path) -> None:
    """Keep what an earlier run left in `<folder>.previous`, unless what is there is worth more; see `worth`.

    A run that is worth nothing is dropped, and so is one that is worth less than what it would replace.
    """
    if not folder.exists():
        return
    previous = folder.with_name(folder.name + ".previous")
    if worth(folder) and worth(folder) >= worth(previous):
        if previous.exists():
            shutil.rmtree(previous)
        folder.rename(previous)
    else:
        shutil.rmtree(folder)


def worth(folder: Path) -> int:
    """2 for a complete run: an artifact, and the log of a final score that is of it; 1 for weights, 0 for neither.

    A run that was killed may have written its artifact and not scored it.
    """
    artifacts = list(folder.glob(ARTIFACTS))
    for log in folder.glob("logs/*.txt") if artifacts else ():
        record = parse_log(log.read_text(encoding="utf-8", errors="replace"))
        hashes = ["", *map(file_hash, artifacts)]  # a log may be older than the line
        if record.finished and record.artifact_sha256 in hashes:
            return 2
    return int((folder / WEIGHTS).exists())


def keep_log(folder: Path, run_id: str, log: Path, tail: Sequence[str]) -> None:
    """Copy the program's log, all parts of it; where it never got as far as one, keep what it printed."""
    with write_errors(log):
        printed = "".join(line + "\n" for line in tail)
        written = (folder / "logs" / f"{run_id}.txt").is_file()
        text = resume.joined(folder, run_id, keep_all=True) if written else printed
        write_atomically(log, text.encode(errors="replace"))


def error_line(tail: Sequence[str]) -> str:
    """The last line that names an error, else the last line."""
    for line in reversed(tail):
        match = ERROR_LINE.search(line)
        if match:
            return match[1]
    return next((line.strip() for line in reversed(tail) if line.strip()), "")
