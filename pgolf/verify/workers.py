"""Child processes that do jobs one after another: forks, so that one costs milliseconds, replaced where a job ends them.

A job is done by a function that gets it and a way to write lines. The lines come back as they are written, so that what was
written before a limit is kept.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

CHUNK = 2**16
MOST_BYTES = 64 * 2**20
"""Most bytes that a child may write for one job."""
DONE, LAST = b'{"done":1}\n', b'{"done":2}\n'
"""The end of a job, and of one after which the child is replaced. Whatever else is written has other keys."""
INTERRUPTED = 130

Do = Callable[[int, Callable[[bytes], object]], bool]
"""Does the job of this number; False where the child should be replaced."""


@dataclass
class Worker:
    """A child: the two ends that this process holds, and the job that it is at, -1 for none."""

    pid: int
    orders: int
    pipe: int
    number: int = -1
    seconds: float = 0.0
    end: float = 0.0
    data: bytearray = field(default_factory=bytearray)
    last: bool = False


@dataclass(frozen=True)
class Done:
    """What became of a job: `reason` is "" where it was done."""

    number: int
    data: bytes
    reason: str = ""
    signal: int = 0


class Workers:
    """Children that one function was handed to."""

    def __init__(self, do: Do) -> None:
        self.do = do
        self.idle: list[Worker] = []
        self.working: list[Worker] = []
        self.ready = selectors.DefaultSelector()

    def start(self, number: int, seconds: float, alone: bool = False) -> None:
        """Have a job done within so many seconds, `alone` by a child of its own."""
        worker = self.idle.pop() if self.idle and not alone else self._fork()
        worker.number, worker.seconds, worker.end = number, seconds, time.monotonic() + seconds
        worker.data, worker.last = bytearray(), alone
        self.working.append(worker)
        with contextlib.suppress(BrokenPipeError):  # it has ended: its pipe says so
            os.write(worker.orders, b"%d\n" % number)

    def finished(self) -> Iterator[Done]:
        """Wait until a job is done, its child has ended, or its time is over."""
        pause = max(0.0, min(worker.end for worker in self.working) - time.monotonic())
        for key, _ in self.ready.select(min(pause, 3600.0)):
            worker: Worker = key.data
            chunk = os.read(worker.pipe, CHUNK)
            worker.data += chunk
            if worker.data.endswith((DONE, LAST)):
                worker.last |= worker.data.endswith(LAST)
                yield self._close(worker, "")
            elif not chunk or len(worker.data) > MOST_BYTES:
                yield self._close(worker, "its report is too long" if chunk else "ended")
        for worker in [worker for worker in self.working if time.monotonic() > worker.end]:
            yield self._close(worker, f"it takes more than {worker.seconds:.0f} s")

    def close(self) -> None:
        """End all children."""
        for worker in (*self.idle, *self.working):
            self._end(worker)
        self.idle, self.working = [], []
        self.ready.close()

    def _close(self, worker: Worker, reason: str) -> Done:
        """What the child wrote and how its job ended."""
        self.working.remove(worker)
        data = bytes(worker.data)
        if not reason and not worker.last:
            self.idle.append(worker)
            return Done(worker.number, data)
        status = self._end(worker, now=reason != "ended")
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == INTERRUPTED:
            raise KeyboardInterrupt
        if reason != "ended":
            return Done(worker.number, data, reason)
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        reason = f"reading ended by signal {number}" if number else "the process that reads it ended early"
        return Done(worker.number, data, reason, number)

    def _end(self, worker: Worker, now: bool = True) -> int:
        """End a child now, or wait for one that has ended by itself, and give its status."""
        self.ready.unregister(worker.pipe)
        os.close(worker.orders)
        os.close(worker.pipe)
        if now:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGKILL)
        return os.waitpid(worker.pid, 0)[1]

    def _fork(self) -> Worker:
        sys.stdout.flush()
        sys.stderr.flush()
        read_orders, orders = os.pipe()
        pipe, write = os.pipe()
        gc.freeze()  # so that the collector of a child copies no pages of what is there already
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of threads of a library that pgolf may have loaded
            pid = os.fork()
        if pid == 0:
            os.close(orders)
            os.close(pipe)
            _serve(self.do, read_orders, write)
        os.close(read_orders)
        os.close(write)
        worker = Worker(pid, orders, pipe)
        self.ready.register(pipe, selectors.EVENT_READ, worker)
        return worker


def _serve(do: Do, orders: int, pipe: int) -> None:
    """In the child: do jobs until there are no more, and never return."""
    status = 1
    try:
        with os.fdopen(pipe, "wb", buffering=0) as out, os.fdopen(orders, "rb") as lines:
            for line in lines:
                out.write(DONE if do(int(line), out.write) else LAST)
        status = 0
    except KeyboardInterrupt:
        status = INTERRUPTED
    finally:
        os._exit(status)
