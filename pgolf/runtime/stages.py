"""The run's clock and its log: when each stage began and ended, and what data it read.

    stage:calibration begin:588012ms end:591010ms data:train batches:16

A stage that takes long says now and then where it is, `eval: batch 300`.
A stage begins where the one before it has ended. The clock is training time, without validation, until training and what is
on the clock with it have stopped; from there on it is real time. Data are "train", "val" or "none".
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Stages:
    """Writes a line for each stage; the clock starts at 0."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self.log = log
        self.begin_ms = 0.0
        self.since = self.spoke = time.perf_counter()

    def set_clock(self, elapsed_ms: float) -> None:
        """It is `elapsed_ms` now, and real time from here on."""
        self.since = time.perf_counter() - elapsed_ms / 1000.0

    def end(self, name: str, data: str) -> None:
        """Log a stage that ends now; `data` is what it read, and what else there is to say."""
        now = 1000.0 * (time.perf_counter() - self.since)
        self.log(f"stage:{name} begin:{self.begin_ms:.0f}ms end:{now:.0f}ms data:{data}")
        self.begin_ms = now
        self.spoke = time.perf_counter()

    def say(self, text: str) -> None:
        """Log where a stage is, if nothing has been said for ten seconds."""
        if time.perf_counter() > self.spoke + 10:
            self.spoke = time.perf_counter()
            self.log(text)
