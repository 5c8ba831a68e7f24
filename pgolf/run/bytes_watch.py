"""While a run trains, `pgolf forecast` weighs it; one that is sure to be over the cap is ended, and not paid for to its end.

The forecast is a process of its own, which gives way to the run. One that fails, or is not sure, ends nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from pgolf.run.watcher import StopRun


def command_of(recipe: Path, plugin_dirs: Sequence[Path]) -> list[str]:
    """What is run."""
    words = ["nice", "-n", "19", sys.executable, "-m", "pgolf.cli", "forecast", str(recipe), "--json"]
    for folder in plugin_dirs:
        words += ["--plugin-dir", str(folder)]
    return words


class BytesWatch:
    """Looks at its process whenever a line of the run comes; as a context manager it ends with the block.

    Args:
        command: prints the JSON of `pgolf forecast`; None watches nothing.
    """

    def __init__(self, command: Sequence[str] | None) -> None:
        self.command = command
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> BytesWatch:
        if self.command is not None:
            self.output = tempfile.TemporaryFile()
            env = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
            streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdout": self.output}
            self.process = subprocess.Popen(self.command, env=env, **streams)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        if self.command is not None:
            self.output.close()

    def line(self, text: str) -> None:
        """A line of the run.

        Raises:
            StopRun: when the forecast says so.
        """
        if self.process is None or self.process.poll() is None:
            return
        self.process = None
        self.output.seek(0)
        if found := verdict(self.output.read()):
            raise StopRun(found)


def verdict(output: bytes) -> str:
    """Why to end the run, or ""."""
    try:
        found = json.loads(output)
        if found["fits"] or not found["certain"]:
            return ""
        size = f"{found['bytes_total']:,} bytes, {found['bytes_total'] - found['cap']:,} over the cap"
        return (
            f"file and artifact are forecast at {size}, surely (+- {found['uncertainty_bytes']:,}): the run was ended"
        )
    except (ValueError, KeyError, TypeError):
        return ""
