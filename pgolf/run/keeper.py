"""Runs a command and ends it with everything that it started, when the process that asked for it is gone: killed, too.

    python -I -S keeper.py COMMAND...

Standard input is a pipe whose other end is held by the process that asked; the system closes it when that process ends,
however it ends. The exit status, or the signal, is the command's. It imports the standard library alone: it may not cost time.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 5.0


def main() -> None:
    """See the module."""
    # What is meant for the command comes to its whole group. Not SIG_IGN, which the command would inherit.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: None)
    with contextlib.suppress(AttributeError, OSError):
        # Processes whose parent has died become children of this one, so that `end_descendants` finds them.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, close_fds=False)
    threading.Thread(target=wait_for_end, args=(child,), daemon=True).start()
    status = child.wait()
    end_descendants()
    if status < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    # Without waiting for the thread, which may hold the lock of standard input.
    os._exit(status)


def wait_for_end(child: subprocess.Popen[bytes]) -> None:
    """When nobody holds the other end of standard input any more, the command is told to end, and then made to."""
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(GRACE_SECONDS)
    child.kill()


def end_descendants() -> None:
    """Kill whatever is left, also in sessions of its own, until this process has no children; without /proc, nothing."""
    with contextlib.suppress(ChildProcessError, FileNotFoundError):
        while True:
            for process in Path("/proc").iterdir():
                if process.name.isdecimal() and parent_of(process) == os.getpid():
                    os.kill(int(process.name), signal.SIGKILL)
            os.waitpid(-1, 0)


def parent_of(process: Path) -> int:
    """Number of the parent process by the folder in /proc, 0 where there is no such process."""
    try:
        return int((process / "stat").read_bytes().rpartition(b")")[2].split()[1])
    except (OSError, IndexError):
        return 0


if __name__ == "__main__":
    main()
