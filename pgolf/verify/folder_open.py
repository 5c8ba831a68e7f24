"""Opens files below a folder that nobody vouches for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO


def open_inside(root: Path, name: Path) -> IO[bytes]:
    """Open a file below `root` without following any link and without waiting for a pipe.

    Each part of the name is opened in the one before it, so that a folder that is exchanged for a link meanwhile does not
    lead outside.
    """
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part, more in zip(name.parts, [os.O_DIRECTORY] * (len(name.parts) - 1) + [os.O_NONBLOCK], strict=True):
        try:
            inner = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | more, dir_fd=handle)
        finally:
            os.close(handle)
        handle = inner
    return os.fdopen(handle, "rb")
