"""Several child processes at once, as many as there are cores; none outlives an interruption."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgolf.run.process import end_group, terminated_is_interrupted

POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Job:
    """One command: its lines, standard output and error together, go to the file `log`."""

    name: str
    command: tuple[str, ...]
    folder: Path
    env: Mapping[str, str]
    log: Path

    def lines(self) -> list[str]:
        """What the child printed."""
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_all(jobs: Sequence[Job], at_once: int) -> Iterator[tuple[Job, int]]:
    """Start the jobs in their order and yield each with its exit status, in that order too.

    A caller that stops early ends those that still run.
    """
    waiting = list(jobs)
    running: dict[str, subprocess.Popen[str]] = {}
    status: dict[str, int] = {}
    with terminated_is_interrupted():
        try:
            for wanted in jobs:
                while wanted.name not in status:
                    while waiting and len(running) < at_once:
                        job = waiting.pop(0)
                        running[job.name] = _start(job)
                    ended = {name: child.poll() for name, child in running.items()}
                    for name, code in ended.items():
                        if code is not None:
                            status[name] = code
                            end_group(running.pop(name))
                    if wanted.name not in status:
                        time.sleep(POLL_SECONDS)
                yield wanted, status[wanted.name]
        finally:
            for child in running.values():
                end_group(child)


def _start(job: Job) -> subprocess.Popen[str]:
    with job.log.open("wb") as log:
        return subprocess.Popen(
            list(job.command),
            cwd=job.folder,
            env=dict(job.env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
