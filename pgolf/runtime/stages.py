"""The run's clock and its log: when each stage began and ended, and what data it read.

    stage:calibration begin:588012ms end:591010ms data:train batches:16

The clock is training time, without validation, until training and what is on the clock with it have stopped; from there on
it is real time. Data are "train", "val" or "none".
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgolf.runtime.log import RunLog


class Stages:
    """Milliseconds of the run, and a log line for each stage; starts at 0."""

    def __init__(self, log: RunLog) -> None:
        self.log = log
        self.resume(0.0)

    def resume(self, elapsed_ms: float) -> None:
        """It is `elapsed_ms` now, and real time from here on."""
        self.since = time.perf_counter() - elapsed_ms / 1000.0

    def now(self) -> float:
        """Milliseconds since the run began."""
        return 1000.0 * (time.perf_counter() - self.since)

    def line(self, name: str, begin_ms: float, end_ms: float, data: str, detail: str = "") -> None:
        """Log a stage."""
        self.log(f"stage:{name} begin:{begin_ms:.0f}ms end:{end_ms:.0f}ms data:{data} {detail}".rstrip())

    def end(self, name: str, begin_ms: float, data: str, detail: str = "") -> None:
        """Log a stage that ends now."""
        self.line(name, begin_ms, self.now(), data, detail)
