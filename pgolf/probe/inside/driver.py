"""The program in the sandbox: runs one script several times, in processes of their own, with other validation text.

    python -I -c TEXT JOB.json, or with - the paths of jobs on its input, for scripts that are our own

JOB.json: {"script", "name", "environment", "vocabulary", "seconds", "trials": [{"name", "folder", "hide", "contrary"}]}.
Every trial has a folder with the script's data, in which it runs; it leaves `record.npz` and `record.json` there. Where the
first one fails, others are not run; with "hide" the training shards are emptied after as many artifacts as the first one wrote.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import json
import linecache
import os
import random
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
import types
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pgolf.probe.inside import cuda_stand_in, graph_stand_in, module_stand_ins, triton_stand_in, watched_files
from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.crossings import percent, watch_lists, watch_texts
from pgolf.probe.inside.groups import keep, watch_math
from pgolf.probe.inside.idle_weights import graph_leaves, several, wake
from pgolf.probe.inside.kernel_scores import note_losses
from pgolf.probe.inside.rewritten import KEEP, PERCENT, rewritten
from pgolf.probe.inside.score_mode import ScoreMode
from pgolf.probe.inside.tags import births_in, tag_of
from pgolf.probe.inside.watched_files import SCRATCH

SAID = 300
WAITS = 3
"""How often the seconds of the processor may go by on the clock: machines are busy, and scripts may wait for something."""
LATE = 124
"""The status of an execution that took too long."""
MOST = 4
"""Executions side by side, where there are that many processors: each needs a few hundred megabytes."""


class Ended(BaseException):
    """The script wants to end."""


def main(path: str) -> None:
    """Load what all scripts need, then run a job, or one after another as they are named."""
    for name in ("sentencepiece", "torch.nn.attention.flex_attention", "torch.utils.data", "zstandard", "brotli"):
        with contextlib.suppress(ImportError):  # once for all trials
            importlib.import_module(name)
    torch.set_num_threads(1)
    with contextlib.suppress(RuntimeError):
        torch.set_num_interop_threads(1)
    for line in sys.stdin if path == "-" else [path]:
        run_job(json.loads(Path(line.strip()).read_text()))
        print("done", flush=True)


def run_job(job: dict[str, Any]) -> None:
    """Run the first trial alone and the others side by side, until the time is up."""
    budget = float(job.get("budget", 1e9))
    begun, end_of_all = children_seconds(), time.monotonic() + WAITS * budget
    waiting, running = list(job["trials"]), list[Running]()
    places = 1
    while waiting or running:
        if time.monotonic() > end_of_all or children_seconds() - begun > budget:
            waiting.clear()
        while waiting and len(running) < places:
            running.append(Running(job, waiting.pop(0)))
        ended = [one for one in running if one.ended()]
        running = [one for one in running if one not in ended]
        if places == 1 and ended:
            places = min(len(os.sched_getaffinity(0)), MOST)
            if job.get("alone") and not noted_writes(job):
                return
        if running:
            time.sleep(0.02)


def noted_writes(job: dict[str, Any]) -> bool:
    """Tell the others how many artifacts the first trial wrote before its score; false where it has no score."""
    record = Path(job["trials"][0]["folder"], "record.json")
    first: dict[str, Any] = json.loads(record.read_text()) if record.is_file() else {"error": "none"}
    if first["error"] or not first["reports"]:
        return False
    end = first["reports"][-1]["at"]
    job["writes"] = sum(event["kind"] == "write" and event["at"] < end for event in first["events"])
    return True


class Running:
    """A process that runs the script once.

    Args:
        job: what all trials have in common.
        trial: this one.
    """

    def __init__(self, job: dict[str, Any], trial: dict[str, Any]):
        self.trial, self.seconds = trial, float(job["seconds"])
        self.started = time.monotonic()
        self.child = os.fork()
        if self.child == 0:
            code = 1
            try:
                run(job, trial)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                exit_now(code)

    def ended(self) -> bool:
        """Has it ended, or been ended because it took too long? Then its outcome is written."""
        done, status = os.waitpid(self.child, os.WNOHANG)
        took = time.monotonic() - self.started
        code = os.waitstatus_to_exitcode(status) if done else LATE
        if not done:
            if took < WAITS * self.seconds and used_seconds(self.child) < self.seconds:
                return False
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        outcome = {"status": code, "seconds": round(took, 3), "memory": children}
        Path(self.trial["folder"], "outcome.json").write_text(json.dumps(outcome))
        return True


exit_now = os._exit


def children_seconds() -> float:
    """Of the processor, by all that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def used_seconds(process: int) -> float:
    """Of the processor, by one that runs; none where the system does not say."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0


def run(job: dict[str, Any], trial: dict[str, Any]) -> None:
    """Run the script once and write its record."""
    folder = Path(trial["folder"])
    os.chdir(folder)
    with Path(folder, "printed.txt").open("w") as printed:
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
    sys.stdout = os.fdopen(1, "w", buffering=1, errors="replace")
    sys.stderr = sys.stdout
    stream = np.load(trial["stream"]).astype(np.int64)
    names = [job["name"], *job.get("helpers", [])]
    recorder = Recorder(stream, int(job["vocabulary"]), [str(folder / name) for name in names])
    recorder.contrary = int(trial.get("contrary", 0))
    watch = watched_files.Watch(recorder, folder, int(job.get("writes", 0)) if trial.get("hide") else 0)
    watch.shards = sorted(Path(trial["data"]).glob("fineweb_train_*.bin"))
    prepare(job, trial, recorder)
    error = execute(job, folder, recorder, watch)
    at_scores = recorder.reports[-1][0] if recorder.reports else recorder.now + 1
    more = {"error": error, "artifacts": watch.artifacts(at_scores), "writes": list(watch.written.values())}
    recorder.save(folder / "record.npz", more)


def prepare(job: dict[str, Any], trial: dict[str, Any], recorder: Recorder) -> None:
    """Stand-ins, environment, equal random numbers."""
    os.environ.update(job["environment"])
    os.environ.update(own_folders(Path(trial["folder"], SCRATCH)))
    os.environ.update(trial.get("environment", {}))
    cuda_stand_in.stand_in_for_cuda()
    cuda_stand_in.stand_in_for_compiler()
    module_stand_ins.stand_in_for_modules()
    module_stand_ins.stand_in_for_distributed()
    module_stand_ins.stand_in_for_programs()
    watched_files.stand_in_for_clock()
    watched_files.redirect(Path(trial["data"]), Path(job["tokenizer"]))
    watch_math()
    watch_texts()
    watch_lists(recorder)
    graph_stand_in.stand_in_for_graphs()
    triton_stand_in.Launches.after = lambda arguments: note_losses(recorder, arguments)  # type: ignore[method-assign, assignment]
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    step = torch.optim.Optimizer.profile_hook_step

    def noted(function: Any) -> Any:
        inner = step(function)

        def call(*args: Any, **kwargs: Any) -> Any:
            groups = getattr(args[0], "param_groups", []) if args else []
            every = itertools.chain.from_iterable(group["params"] for group in groups)
            recorder.stepped([list(p.shape) for p in every if p.grad is not None][:16])
            return inner(*args, **kwargs)

        call.hooked = True  # type: ignore[attr-defined]
        return call

    torch.optim.Optimizer.profile_hook_step = staticmethod(noted)  # type: ignore[method-assign, assignment]


def own_folders(scratch: Path) -> dict[str, str]:
    """Folders that executions side by side would share, and trip over each other's files in."""
    found = {"TMPDIR": scratch, "HOME": scratch / "home", "XDG_CACHE_HOME": scratch / "home" / ".cache"}
    for path in found.values():
        path.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(scratch)
    return {name: str(path) for name, path in found.items()}


def everywhere(mode: ScoreMode) -> None:
    """A mode is of one thread and ends at `backward`: let it be active in every thread, and while gradients are worked out."""
    bootstrap = threading.Thread._bootstrap_inner  # type: ignore[attr-defined]
    engine = torch.autograd._engine_run_backward  # type: ignore[attr-defined]

    def begin(thread: threading.Thread) -> None:
        with mode:
            bootstrap(thread)

    def backward(losses: Any, *args: Any, **kwargs: Any) -> Any:
        # What learns from scores of validation text, as a new adapter does, may be meant to be zero.
        leaves = graph_leaves(losses) if not any(len(births_in(tag_of(loss))) for loss in several(losses)) else []
        with mode:
            found = engine(losses, *args, **kwargs)
        wake(leaves)
        return found

    threading.Thread._bootstrap_inner = begin  # type: ignore[attr-defined]
    torch.autograd._engine_run_backward = backward  # type: ignore[attr-defined, assignment]


def execute(job: dict[str, Any], folder: Path, recorder: Recorder, watch: watched_files.Watch) -> str:
    """Run the script as a program; its error in one line, or ""."""
    text = Path(job["script"]).read_text()
    path = str(folder / job["name"])
    Path(path).write_text(text)
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    module = types.ModuleType("__main__")
    module.__file__ = path
    module.__dict__.update({KEEP: keep, PERCENT: percent})
    sys.modules["__main__"] = module
    sys.argv = [path, *job.get("arguments", [])]
    sys.path.insert(0, str(folder))

    own = os.getpid()

    def end(status: int = 0) -> None:
        if os.getpid() != own:  # a process that the script forked
            exit_now(status)
        raise Ended

    os._exit = end  # type: ignore[assignment]
    mode = ScoreMode(recorder)
    everywhere(mode)
    watch.start()
    try:
        with mode:
            exec(compile(rewritten(text, folder / SCRATCH), path, "exec"), module.__dict__)
    except (Ended, SystemExit) as ended:
        code = getattr(ended, "code", 0)
        return "" if code in (None, 0) else f"ended with {str(code)[:SAID]}"
    except BaseException as error:
        traceback.print_exc()
        where = error.__traceback__
        line = 0
        while where is not None:
            line = where.tb_lineno if where.tb_frame.f_code.co_filename == path else line
            where = where.tb_next
        return f"{type(error).__name__}: {str(error)[:SAID]} (line {line})"
    return ""
