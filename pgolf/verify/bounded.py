"""Reads folders in child processes with limits on time and memory: whatever a folder holds, there is an answer.

A child reads one folder after another and writes each check's record as a line of JSON as soon as it has it, so that what was
judged before a limit is kept. Checks that build or run are left to a child of their own, which has no limit on memory.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import resource
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pgolf.verify.folder import View
from pgolf.verify.outputs_details import Details, details
from pgolf.verify.registry import Check, skipped, violated
from pgolf.verify.report import all_checks, as_record, as_report, guarded
from pgolf.verify.workers import Done, Workers

CPU_SECONDS = 15
WALL_SECONDS = 60.0
"""Most seconds for reading one folder: of the processor, and on the clock of a machine that others use as well."""
MEMORY = 440 * 2**20
"""Most bytes that reading may take beyond what pgolf itself takes, about 40 MiB."""
KEPT_MEMORY = 32 * 2**20
"""A child that has grown by more is replaced before the next folder."""
BUILD_SECONDS = 120.0
"""Most seconds for building a folder again."""
FOREVER = 10.0**9

Make = Callable[[Path], View]


@dataclass
class Job:
    """One folder: what is known of it, and whether checks are left for a child of their own."""

    folder: Path
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    later: list[str] = field(default_factory=list)
    numbers: Details | None = None
    reason: str = ""
    second: bool = False

    @property
    def seconds(self) -> float:
        """Most seconds for the part that is next; a run has limits of its own."""
        if not self.second:
            return WALL_SECONDS
        return FOREVER if any(name.startswith("run.") for name in self.later) else BUILD_SECONDS


def verify_bounded(
    folders: Sequence[Path], make: Make, at_once: int, drawn: bool = False
) -> list[tuple[dict[str, Any], Details | None]]:
    """The report of every folder, in their order, and the numbers for its page where that is `drawn`."""
    if len(folders) > 1:
        preload()
    jobs = [Job(folder) for folder in folders]
    waiting = [*range(len(jobs))]
    held = Held()
    workers = Workers(lambda number, write: judge(jobs[number], held, make, drawn, write))
    try:
        while waiting or workers.working:
            while waiting and len(workers.working) < at_once:
                number = waiting.pop(0)
                # Forked now, so that it knows what is left for it.
                workers.start(number, jobs[number].seconds, alone=jobs[number].second)
            for done in workers.finished():
                job = jobs[done.number]
                collect(job, done)
                if job.later and not job.second:
                    job.second = True
                    waiting.insert(0, done.number)
    finally:
        workers.close()
    return [(report_of(job, make), job.numbers) for job in jobs]


def preload() -> None:
    """Load what most folders need, once for all children."""
    for name in ("pgolf.verify.code_program", "pgolf.verify.evidence", "pgolf.statistics"):
        importlib.import_module(name)


def judge(job: Job, held: Held, make: Make, drawn: bool, write: Callable[[bytes], Any]) -> bool:
    """In the child: judge, and write a line for each check; False where it has grown too much for another folder."""

    def say(**line: Any) -> None:
        write(json.dumps(line, allow_nan=False).encode() + b"\n")

    if not job.second:
        limit(held)
    view = make(job.folder)
    for check in all_checks():
        if not job.second and is_later(check, view):
            say(later=check.id)
        elif not job.second or check.id in job.later:
            say(check=as_record(check, guarded(check, view)))
    if drawn and not job.second:
        with contextlib.suppress(MemoryError):
            say(details=asdict(details(view)))
    return not job.second and not view.exceeded and address_space() < held.first + KEPT_MEMORY


@dataclass
class Held:
    """Bytes of a child's address space before its first folder, 0 for a child that is not limited yet."""

    first: int = 0


def limit(held: Held) -> None:
    """Limit this process for one more folder: seconds of the processor, memory beyond what it had at first, no core file."""
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = math.ceil(time.process_time()) + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    held.first = held.first or address_space()
    if held.first:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (held.first + MEMORY,) * 2)


def address_space() -> int:
    """Bytes of the address space of this process, 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return 0


def is_later(check: Check, view: View) -> bool:
    """Does the check build or run something?"""
    if check.id.startswith("run."):
        return view.run.enabled
    if check.id == "lock.rebuild":
        return view.built and view.lock[0] is not None and view.code[0] is not None
    return check.id == "size.accounts" and view.run.repack


def collect(job: Job, done: Done) -> None:
    """Take over what a child wrote, and how it ended."""
    for line in done.data.split(b"\n"):
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if "check" in found:
                job.records[found["check"]["id"]] = found["check"]
            elif "later" in found:
                job.later.append(found["later"])
            elif "details" in found:
                job.numbers = Details(**found["details"])
    over = done.signal in (signal.SIGXCPU, signal.SIGKILL)
    job.reason = job.reason or (f"it takes more than {CPU_SECONDS} s of the processor" if over else done.reason)


def report_of(job: Job, make: Make) -> dict[str, Any]:
    """All records in their order; what was not judged is not judged, and the folder has not passed."""
    records = []
    for check in all_checks():
        record = job.records.get(check.id)
        if check.id == "pkg.limits" and job.reason:
            record = as_record(check, violated(f"not all of it is judged: {job.reason}", reason=job.reason))
        records.append(record or as_record(check, skipped(f"not judged: {job.reason or 'the folder cannot be read'}")))
    return as_report(make(job.folder), records)
