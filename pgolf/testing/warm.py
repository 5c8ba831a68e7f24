"""Runs programs in copies of a process that has imported PyTorch: four fifths of a micro run's time are those imports.

    warm_python(0).run([Job(["train_gpt.py"], folder, environment)])

A copy differs from a new process in what it has imported, and in nothing that a program may rely on: arguments, folder,
environment, import path, warnings, output and exit status are its own. Order in sets of strings is fixed for each
`hash_seed`; two programs that are compared run under two, so that neither passes because it met the same order.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

IMPORTS = ("numpy", "sentencepiece", "torch", "torch.distributed", "torch._dynamo", "torch._inductor", "brotli")
POLL_SECONDS = 0.002
LONGEST_SECONDS = 600.0
# Another process took the port in between; a rank aborted while its process ended, when all was written and Python gone.
CHANCE = ("EADDRINUSE", "ddress already in use", "terminate called without an active exception")


class Job(NamedTuple):
    """A program to run: a script and its arguments, the folder it runs in, its whole environment."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


class Ended(NamedTuple):
    """Exit status, negative where a signal ended it, and what was printed."""

    status: int
    stdout: str
    stderr: str


class WarmPython:
    """The process that copies itself; it ends with this one."""

    def __init__(self, hash_seed: int) -> None:
        environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": str(hash_seed)}
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__))],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )

    def run(self, jobs: Sequence[Job], seconds: float = LONGEST_SECONDS, together: bool = False) -> list[Ended]:
        """Runs all at the same time, and waits.

        Those that are not done in `seconds` are killed; with `together`, also when one of them has failed.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with tempfile.TemporaryDirectory(prefix="pgolf-warm-") as name:
            orders = [
                {
                    "arguments": [str(text) for text in job.arguments],
                    "folder": str(job.folder),
                    "environment": dict(job.environment),
                    "output": [str(Path(name, f"{index}.{stream}")) for stream in ("out", "err")],
                }
                for index, job in enumerate(jobs)
            ]
            self.process.stdin.write(json.dumps({"jobs": orders, "seconds": seconds, "together": together}) + "\n")
            self.process.stdin.flush()
            statuses = json.loads(self.process.stdout.readline())
            texts = [[Path(path).read_text(errors="replace") for path in order["output"]] for order in orders]
        return [Ended(status, *output) for status, output in zip(statuses, texts, strict=True)]

    def close(self) -> None:
        """Without orders to come, the process ends."""
        self.process.communicate()


@functools.cache
def warm_python(hash_seed: int = 0) -> WarmPython:
    """One of each hash seed for this process."""
    warm = WarmPython(hash_seed)
    atexit.register(warm.close)
    return warm


def run_jobs(
    jobs: Sequence[Job], hash_seed: int = 0, seconds: float = LONGEST_SECONDS, together: bool = False
) -> list[Ended]:
    """Programs side by side, warm where processes can be copied; see `WarmPython.run`."""
    if sys.platform == "linux":
        return warm_python(hash_seed).run(jobs, seconds, together)
    started = [
        subprocess.Popen(
            [sys.executable, *job.arguments],
            cwd=job.folder,
            env=dict(job.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for job in jobs
    ]
    outputs = [process.communicate(timeout=seconds) for process in started]
    return [Ended(process.returncode, *output) for process, output in zip(started, outputs, strict=True)]


def run_ranks(job: Job, ranks: int, seconds: float = LONGEST_SECONDS) -> Ended:
    """A job as the ranks of one group on this machine; one that fails ends all.

    "{rank}" in an argument is the number of the rank. Returns what all printed, and the status of one that failed by itself.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    jobs = [
        Job(
            [text.replace("{rank}", str(rank)) for text in job.arguments],
            job.folder,
            {**job.environment, **common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(ranks)
    ]
    ended = run_jobs(jobs, seconds=seconds, together=True)
    # Those that were ended because of another have a negative one.
    status = max((each.status for each in ended if each.status > 0), default=min(each.status for each in ended))
    return Ended(status, "".join(each.stdout for each in ended), "".join(each.stderr for each in ended))


def become(order: dict[str, Any]) -> int:
    """In the copy: make it what a new process would be, run the script, and return its exit status."""
    for path, handle in zip(order["output"], (1, 2), strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), handle)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    script = order["arguments"][0]
    paths = [path for path in order["environment"].get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:0] = [str(Path(script).resolve().parent), *paths]
    sys.argv = list(order["arguments"])
    if order["environment"].get("PYTHONWARNINGS") == "error":
        warnings.simplefilter("error")
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as stop:
        if stop.code is not None and not isinstance(stop.code, int):
            print(stop.code, file=sys.stderr)
            return 1
        return stop.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def copy_for(order: dict[str, Any]) -> int:
    """The number of a new process that does what is ordered."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.setsid()
        status = become(order)
        # What the interpreter does at its end, except for taking itself apart.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)


def wait_for(pids: list[int], seconds: float, together: bool) -> list[int]:
    """Exit statuses, in order; what they have started themselves ends with them."""
    found: dict[int, int] = {}
    end = time.monotonic() + seconds
    while len(found) < len(pids):
        for pid in pids:
            if pid not in found and (ended := os.waitpid(pid, os.WNOHANG))[0]:
                found[pid] = os.waitstatus_to_exitcode(ended[1])
                end_group(pid)
        if time.monotonic() > end or (together and any(found.values())):
            for pid in set(pids) - set(found):
                end_group(pid)
        time.sleep(POLL_SECONDS)
    return [found[pid] for pid in pids]


def end_group(pid: int) -> None:
    """All of a job."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def serve() -> None:
    """One line of JSON in, one line out, until there is no more."""
    for name in IMPORTS:
        with contextlib.suppress(ImportError):
            __import__(name)
    sys.modules["torch"].set_num_threads(1)
    # The script's own folder belongs to each copy.
    sys.path.pop(0)
    for line in sys.stdin:
        wanted = json.loads(line)
        answer = wait_for([copy_for(order) for order in wanted["jobs"]], wanted["seconds"], wanted["together"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
