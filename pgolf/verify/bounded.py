"""Reads folders in child processes with limits on time and memory: whatever a folder holds, there is an answer.

A child is a fork, so that it costs milliseconds. It writes each check's record as a line of JSON as soon as it has it, so that
what was judged before a limit is kept. Checks that build or run are left to a second child, which has no limit on memory.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import selectors
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pgolf.verify.folder import View
from pgolf.verify.outputs_details import Details, details
from pgolf.verify.registry import Check, skipped, violated
from pgolf.verify.report import all_checks, as_record, as_report, guarded

CPU_SECONDS = 15
WALL_SECONDS = 60.0
"""Most seconds for reading one folder: of the processor, and on the clock of a machine that others use as well."""
MEMORY = 440 * 2**20
"""Most bytes that reading may take beyond what pgolf itself takes, about 40 MiB."""
BUILD_SECONDS = 120.0
"""Most seconds for building a folder again."""
CHUNK = 2**16
MOST_BYTES = 64 * 2**20
"""Most bytes of records that a child may write."""

Make = Callable[[Path], View]


@dataclass
class Job:
    """One folder: what is known of it, and the child that is at work."""

    folder: Path
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    later: list[str] = field(default_factory=list)
    numbers: Details | None = None
    reason: str = ""
    second: bool = False
    pid: int = 0
    pipe: int = -1
    end: float = 0.0
    data: bytearray = field(default_factory=bytearray)


def verify_bounded(
    folders: Sequence[Path], make: Make, at_once: int, drawn: bool = False
) -> list[tuple[dict[str, Any], Details | None]]:
    """The report of every folder, in their order, and the numbers for its page where that is `drawn`."""
    if len(folders) > 1:
        _preload()
    jobs = [Job(folder) for folder in folders]
    waiting, working = [*jobs], list[Job]()
    try:
        with selectors.DefaultSelector() as ready:
            while waiting or working:
                while waiting and len(working) < at_once:
                    job = waiting.pop(0)
                    _start(job, make, drawn)
                    ready.register(job.pipe, selectors.EVENT_READ, job)
                    working.append(job)
                for job in _finished(ready, working):
                    ready.unregister(job.pipe)
                    working.remove(job)
                    _collect(job)
                    if job.later and not job.second:
                        job.second = True
                        waiting.insert(0, job)
    finally:
        for job in working:
            _end(job, now=True)
    return [(_report(job, make), job.numbers) for job in jobs]


def _preload() -> None:
    """Load what most folders need, once for all children."""
    for name in ("pgolf.verify.code_program", "pgolf.verify.evidence", "pgolf.statistics", "scipy.special"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _finished(ready: selectors.BaseSelector, working: list[Job]) -> Iterator[Job]:
    """Jobs whose child has written all, or whose time is over."""
    now = time.monotonic()
    pause = max(0.0, min(job.end for job in working) - now)
    for key, _ in ready.select(min(pause, 3600.0)):
        job: Job = key.data
        chunk = os.read(job.pipe, CHUNK)
        job.data += chunk
        if len(job.data) > MOST_BYTES:
            job.reason = "its report is too long"
        if not chunk or job.reason:
            yield job
    for job in [job for job in working if time.monotonic() > job.end and not job.reason]:
        job.reason = f"it takes more than {BUILD_SECONDS if job.second else WALL_SECONDS:.0f} s"
        yield job


def _start(job: Job, make: Make, drawn: bool) -> None:
    """Fork a child for the first or the second part of a job."""
    sys.stdout.flush()
    sys.stderr.flush()
    inner, outer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads of a library that pgolf may have loaded
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(inner)
            with os.fdopen(outer, "wb", buffering=0) as out:
                _work(job, make, drawn, out.write)
            status = 0
        except KeyboardInterrupt:
            status = 130
        finally:
            os._exit(status)
    os.close(outer)
    unlimited = job.second and any(name.startswith("run.") for name in job.later)
    seconds = 10.0**9 if unlimited else BUILD_SECONDS if job.second else WALL_SECONDS
    job.pid, job.pipe, job.end, job.data = pid, inner, time.monotonic() + seconds, bytearray()


def _work(job: Job, make: Make, drawn: bool, write: Callable[[bytes], Any]) -> None:
    """In the child: judge, and write a line for each check."""

    def say(**line: Any) -> None:
        write(json.dumps(line, allow_nan=False).encode() + b"\n")

    if not job.second:
        limit()
    view = make(job.folder)
    for check in all_checks():
        if not job.second and is_later(check, view):
            say(later=check.id)
        elif not job.second or check.id in job.later:
            say(check=as_record(check, guarded(check, view)))
    if drawn and not job.second:
        with contextlib.suppress(MemoryError):
            say(details=asdict(details(view)))


def limit() -> None:
    """Limit this process: seconds of the processor, memory beyond what it has, no core file."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def is_later(check: Check, view: View) -> bool:
    """Does the check build or run something?"""
    if check.id.startswith("run."):
        return view.run.enabled
    if check.id == "lock.rebuild":
        return view.built and view.lock[0] is not None and view.code[0] is not None
    return check.id == "size.accounts" and view.run.repack


def _collect(job: Job) -> None:
    """Take over what a child wrote, and see how it ended."""
    status = _end(job, now=bool(job.reason))
    for line in bytes(job.data).split(b"\n"):
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if "check" in found:
                job.records[found["check"]["id"]] = found["check"]
            elif "later" in found:
                job.later.append(found["later"])
            elif "details" in found:
                job.numbers = Details(**found["details"])
    job.data = bytearray()
    if os.WIFSIGNALED(status) and not job.reason:
        number = os.WTERMSIG(status)
        over = number in (signal.SIGXCPU, signal.SIGKILL)
        job.reason = (
            f"it takes more than {CPU_SECONDS} s of the processor" if over else f"reading ended by signal {number}"
        )
    elif os.WIFEXITED(status) and os.WEXITSTATUS(status) == 130:
        raise KeyboardInterrupt
    elif os.WIFEXITED(status) and os.WEXITSTATUS(status) and not job.reason:
        job.reason = "the process that reads it ended early"


def _end(job: Job, now: bool) -> int:
    """Wait for a child, or end it now, and give its status."""
    os.close(job.pipe)
    if now:
        with contextlib.suppress(ProcessLookupError):
            os.kill(job.pid, signal.SIGKILL)
    return os.waitpid(job.pid, 0)[1]


def _report(job: Job, make: Make) -> dict[str, Any]:
    """All records in their order; what was not judged is not judged, and the folder has not passed."""
    records = []
    for check in all_checks():
        record = job.records.get(check.id)
        if check.id == "pkg.limits" and job.reason:
            record = as_record(check, violated(f"not all of it is judged: {job.reason}", reason=job.reason))
        records.append(record or as_record(check, skipped(f"not judged: {job.reason or 'the folder cannot be read'}")))
    return as_report(make(job.folder), records)
