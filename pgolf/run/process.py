"""A child process whose lines are read as they come, and which never outlives its parent's interest."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from pgolf.run import keeper

GRACE_SECONDS = 10.0


def stream(
    command: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    on_line: Callable[[str], None],
    on_start: Callable[[Callable[[], None]], object] = lambda end: None,
) -> int:
    """Run a command and hand over its lines, standard output and error together; returns the exit status.

    `on_start` is given a function that ends the command, for other threads.

    The child has a process group of its own. When this process is interrupted or terminated, the whole group gets
    SIGINT, then SIGKILL, and KeyboardInterrupt goes on. When it is killed, `keeper` ends the group.
    """
    with terminated_is_interrupted():
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__, *command],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        try:
            on_start(lambda: end_group(child))
            assert child.stdout is not None
            for line in child.stdout:
                on_line(line.rstrip("\n"))
            return child.wait()
        finally:
            end_group(child)
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()


def end_group(child: subprocess.Popen[str]) -> None:
    """Stop a child and everything it started: asked, then told by closing its input, then killed."""
    if child.poll() is None:
        _signal_group(child.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
    if child.poll() is None and child.stdin is not None:
        child.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


@contextlib.contextmanager
def terminated_is_interrupted() -> Iterator[None]:
    """While it lasts, SIGTERM raises KeyboardInterrupt, so that a run on rented hardware ends with its parent."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
