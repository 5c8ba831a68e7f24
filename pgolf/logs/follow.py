"""The lines of a log as they are written, also when it is started anew, until its run has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pgolf.logs.parse import parse_log

POLL_SECONDS = 0.5
QUIET_SECONDS = 5.0
"""A finished log that has not grown for so long is at its end."""


def follow(path: Path, sleep: Callable[[float], object] = time.sleep) -> Iterator[str]:
    """Whole lines of a file, and of the one that takes its name; ends after the last line of a finished or failed run.

    Raises:
        OSError: when it cannot be read; a file that is gone for a moment is waited for.
    """
    place, part, seen, quiet, inode = 0, "", "", 0.0, path.stat().st_ino
    while True:
        more, fresh, inode = read_more(path, place, inode)
        if fresh:
            place, part, seen = 0, "", ""
        if more:
            place += len(more)
            *lines, part = (part + more.decode("utf-8", errors="replace")).split("\n")
            seen, quiet = seen + "".join(line + "\n" for line in lines), 0.0
            yield from lines
            continue
        quiet += POLL_SECONDS
        if quiet >= QUIET_SECONDS and has_ended(seen):
            return
        sleep(POLL_SECONDS)


def read_more(path: Path, place: int, inode: int) -> tuple[bytes, bool, int]:
    """(what stands after `place`, whether it is another file or one that was cut, the file's number, 0 for none)."""
    try:
        with path.open("rb") as file:
            status = path.stat()
            fresh = status.st_ino != inode or status.st_size < place
            file.seek(0 if fresh else place)
            return file.read(), fresh, status.st_ino
    except FileNotFoundError:
        return b"", False, 0


def has_ended(text: str) -> bool:
    """Did its run end, well or not?"""
    lines = text.splitlines()
    failed = any(line.startswith(("error:", "Traceback (")) for line in lines)
    return failed or (parse_log(text).finished and any(line.startswith("receipt ") for line in lines[-40:]))
