"""External programs that read one file and write another, such as compressors."""

from __future__ import annotations

import resource
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def through_program(
    name: str, start: Callable[[Path, Path], subprocess.Popen[bytes]], data: bytes, limit: int, seconds: float
) -> bytes:
    """What a program makes of `data`; its files are in a temporary directory that goes when it has ended.

    Args:
        name: the program's, for errors.
        start: starts the program for (file to read, file to write), with its stderr a pipe.
        limit: the most bytes of any file that it may write; it is ended when it writes more.
        seconds: it is ended when it takes longer.

    Raises:
        OSError: when it cannot be started.
        ValueError: when it fails or has to be ended.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        target = Path(folder, "target")
        source.write_bytes(data)
        try:
            process = start(source, target)
        except OSError as error:
            raise OSError(f"{name} cannot be started ({error.strerror}), try: apt-get install {name}") from error
        with process:
            try:
                with suppress(ProcessLookupError):
                    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
                said = process.communicate(timeout=seconds)[1].decode(errors="replace").split()
            except subprocess.TimeoutExpired as error:
                raise ValueError(f"{name} did not end within {seconds:g} s") from error
            finally:
                process.kill()
        if process.returncode or not target.exists():
            text = " ".join(said)[:200]
            raise ValueError(f"{name} ended with status {process.returncode}: {text}")
        if target.stat().st_size > limit:
            raise ValueError(f"{name} wrote more than {limit} bytes")
        return target.read_bytes()
