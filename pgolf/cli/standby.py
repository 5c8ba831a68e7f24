"""A process that is started before there is work for it, and has imported the built-in plugins when there is.

Plugins are imported afresh for every build of `--watch`, which takes a seventh of its time. So the next process is started
while nobody waits for it. Where a file that it has imported changes in the meantime, it says so, and another one is started.
"""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import signal
import sys
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import chain
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

FORKS = "fork" in multiprocessing.get_all_start_methods()
"""Whether such a process is a copy of this one, so that it has what this one has imported and read."""


class Standby:
    """A process that waits until it is asked for what `work` gives; it ends after that, or with this one."""

    def __init__(self, work: Callable[[], Any]):
        self.work = work
        context: Any = multiprocessing.get_context("fork" if FORKS else "spawn")
        self.connection, other = context.Pipe()
        arguments = (other, self.connection if FORKS else None, work)
        self.process = context.Process(target=_stand_by, args=arguments, daemon=True)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # Python 3.12 warns of threads, and this process uses none
            self.process.start()
        other.close()

    def result(self) -> Any:
        """What the work gives, from this process or, if that is out of date, from another one.

        Raises:
            ChildProcessError: the process ended without a result; the text says how.
        """
        try:
            self.connection.send(None)
            fresh, found = self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            raise ChildProcessError(f"the build ended with status {self.process.exitcode}") from None
        finally:
            self.end()
        return found if fresh else Standby(self.work).result()

    def end(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.join()
        self.connection.close()


def _stand_by(connection: Connection, others: Connection | None, work: Callable[[], Any]) -> None:
    if others is not None:
        others.close()  # a copy, which would keep the pipe open when the process that has the other one is gone
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    # A compiled file counts as fresh by the second and the size, and plugins change more than once in a second.
    sys.dont_write_bytecode = True
    gc.disable()  # this process ends before there is much garbage
    before = import_plugins()
    with suppress(EOFError, OSError):
        connection.recv()
        fresh = stamps(before) == before
        connection.send((fresh, work() if fresh else None))


def import_plugins() -> Mapping[Path, tuple[int, int]]:
    """Import every built-in plugin that can be imported; gives the `stamps` of their files, as they were before."""
    from pgolf.manager import built_in_modules

    modules = built_in_modules()
    files = [path.parent.glob("*.py") for path in {path.parent: path for _, path in modules}.values()]
    found = stamps(chain.from_iterable(files))
    for name, _ in modules:
        with suppress(Exception, SystemExit):
            importlib.import_module(name)
    return found


def stamps(paths: Any) -> dict[Path, tuple[int, int]]:
    """Time and size of each file that exists."""
    found = {}
    for path in paths:
        with suppress(OSError):
            state = path.stat()
            found[path] = (state.st_mtime_ns, state.st_size)
    return found
