"""Reads folders in child processes with limits on time and memory: whatever a folder holds, there is an answer.

A child reads one folder after another and writes each check's record as a line of JSON as soon as it has it, so that what was
judged before a limit is kept. Checks that build are left to a child of their own, which has what reading left of the time for
an answer; those that run the program have limits of their own.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import resource
import shlex
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pgolf.probe.verdicts import RULES
from pgolf.verify.folder import RunPlan, View, printable
from pgolf.verify.outputs_details import Details, details
from pgolf.verify.registry import Check, skipped, violated, warned
from pgolf.verify.report import all_checks, as_record, as_report, guarded
from pgolf.verify.workers import Done, Workers

ANSWER_SECONDS = 19
"""Most seconds of the processor for reading a folder and building it again; pgolf itself takes less than one more."""
CPU_SECONDS = 15
WALL_SECONDS = 60.0
"""Most seconds for reading one folder: of the processor, and on the clock of a machine that others use as well."""
MEMORY = 440 * 2**20
"""Most bytes that reading may take beyond what pgolf itself takes, about 40 MiB."""
BUILD_MEMORY = 400 * 2**20
"""Most bytes of data of the child that builds, beyond what it has once PyTorch, whose data depend on its kind, is loaded."""
KEPT_MEMORY = 32 * 2**20
"""A child that has grown by more is replaced before the next folder."""
PACK_SECONDS = 120.0
"""Most seconds of the processor for building again where the folder's text is packed again as well."""
FOREVER = 10.0**9
ADDRESSES, DATA = 0, 5
"""Places in `/proc/self/statm`."""

Make = Callable[[Path], View]


@dataclass
class Job:
    """One folder: what is known of it, and whether checks are left for a child of their own.

    Attributes:
        reason: why not all of it was read.
        unbuilt: why the checks that build are not judged.
    """

    folder: Path
    plan: RunPlan
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    later: list[str] = field(default_factory=list)
    numbers: Details | None = None
    reason: str = ""
    unbuilt: str = ""
    second: bool = False
    spent: float = CPU_SECONDS

    @property
    def seconds(self) -> float:
        """Most seconds of the processor for the part that is next; a run has limits of its own."""
        if not self.second:
            return CPU_SECONDS
        if any(name.startswith("run.") or name in RULES for name in self.later):
            return FOREVER
        if self.plan.rebuild_limit is not None:
            return self.plan.rebuild_limit
        return PACK_SECONDS if self.plan.repack else max(1.0, ANSWER_SECONDS - self.spent)

    @property
    def wall(self) -> float:
        """Most seconds on the clock."""
        return self.seconds * (WALL_SECONDS / CPU_SECONDS)


def verify_bounded(
    folders: Sequence[Path], make: Make, at_once: int, drawn: bool = False
) -> list[tuple[dict[str, Any], Details | None]]:
    """The report of every folder, in their order, and the numbers for its page where that is `drawn`."""
    if len(folders) > 1:
        preload()
    jobs = [Job(folder, make(folder).run) for folder in folders]
    waiting = [*range(len(jobs))]
    held = Held()
    workers = Workers(lambda number, write: judge(jobs[number], held, make, drawn, write))
    try:
        while waiting or workers.working:
            while waiting and len(workers.working) < at_once:
                number = waiting.pop(0)
                # Forked now, so that it knows what is left for it.
                workers.start(number, jobs[number].wall, alone=jobs[number].second)
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

    begin = time.process_time()
    if job.second:
        limit_build(job)
    else:
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
    say(spent=time.process_time() - begin)
    return not job.second and not view.exceeded and pages(ADDRESSES) < held.first + KEPT_MEMORY


@dataclass
class Held:
    """Bytes of a child's address space before its first folder, 0 for a child that is not limited yet."""

    first: int = 0


def limit(held: Held) -> None:
    """Limit this process for one more folder: seconds of the processor, memory beyond what it had at first, no core file."""
    limit_processor(CPU_SECONDS)
    held.first = held.first or pages(ADDRESSES)
    if held.first:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (held.first + MEMORY,) * 2)


def limit_build(job: Job) -> None:
    """Limit this process, which builds a folder again; where the program runs there are other limits."""
    if job.seconds == FOREVER:
        return
    if "lock.rebuild" in job.later:
        # Plugins import it. With CUDA its libraries alone have more data than a build needs; and it is slow on a cold disk.
        with contextlib.suppress(Exception):
            importlib.import_module("torch")
    limit_processor(job.seconds)
    held = pages(DATA) if job.plan.rebuild_limit is None else 0
    if held:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (held + BUILD_MEMORY,) * 2)


def limit_processor(seconds: float) -> None:
    """So many more seconds of the processor for this process, and no core file."""
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = math.ceil(time.process_time() + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def pages(kind: int) -> int:
    """Bytes of this process, of its address space or of data, 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[kind]) * resource.getpagesize()
    except (OSError, ValueError):
        return 0


def is_later(check: Check, view: View) -> bool:
    """Does the check build or run something?"""
    if check.id.startswith("run."):
        return view.run.enabled
    if check.id in RULES:
        return bool(view.run.probes)
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
            elif "spent" in found and not job.second:
                job.spent = found["spent"]
    over = done.signal in (signal.SIGXCPU, signal.SIGKILL)
    reason = f"it takes more than {job.seconds:.0f} s of the processor" if over else done.reason
    if job.second:
        job.unbuilt = reason
    else:
        job.reason = reason


def report_of(job: Job, make: Make) -> dict[str, Any]:
    """All records in their order; what was not judged is not judged, and a folder that was not all read has not passed."""
    records = []
    for check in all_checks():
        record = job.records.get(check.id)
        if check.id == "pkg.limits" and job.reason:
            record = as_record(check, violated(f"not all of it is judged: {job.reason}", reason=job.reason))
        elif check.id == "pkg.limits" and job.unbuilt:
            record = as_record(check, warned(f"not all of it is judged: {unbuilt(job)}", reason=job.unbuilt))
        if record is None and check.id in job.later:
            record = as_record(check, skipped(f"not judged: {unbuilt(job)}"))
        records.append(record or as_record(check, skipped(f"not judged: {job.reason or 'the folder cannot be read'}")))
    return as_report(make(job.folder), records)


def unbuilt(job: Job) -> str:
    """Why a folder was not built again, and how it is with more time."""
    if not job.unbuilt:
        return job.reason or "the folder cannot be read"
    command = (
        f"pgolf verify {shlex.quote(printable(str(job.folder)))} --rebuild-limit {math.ceil(8 * job.seconds / 60) * 60}"
    )
    return f"building it again: {job.unbuilt}; for more: {command}"
