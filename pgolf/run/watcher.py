"""Watches a run's lines for what makes it worthless, so that it is ended and not paid for to its end.

not finite    a training loss that is no number, or infinite
diverged      after step 100, three logged losses in a row above the first one and above 1.5 times the lowest
"""

from __future__ import annotations

import math
import re

LINE = re.compile(r"^step:(\d+)/\d+ train_loss:(\S+)")
GRACE_STEPS, IN_A_ROW, FACTOR = 100, 3, 1.5


class StopRun(Exception):
    """A run that is not worth going on with; says why."""


class Watcher:
    """Sees every line of one run."""

    def __init__(self) -> None:
        self.first = self.lowest = math.nan
        self.high = 0

    def line(self, text: str) -> None:
        """Take one line.

        Raises:
            StopRun: when the run has diverged.
        """
        match = LINE.match(text)
        if match is None:
            return
        step, loss = int(match[1]), number(match[2])
        if not math.isfinite(loss):
            raise StopRun(f"the training loss is {match[2]} at step {step}: the run was ended")
        if math.isnan(self.first):
            self.first = self.lowest = loss
        self.lowest = min(self.lowest, loss)
        above = step > GRACE_STEPS and loss > self.first and loss > FACTOR * self.lowest
        self.high = self.high + 1 if above else 0
        if self.high >= IN_A_ROW:
            was = f"was {self.first:.4f} at first and {self.lowest:.4f} at best"
            raise StopRun(f"the training loss is {loss:.4f} at step {step}, {was}: the run has diverged and was ended")


def number(text: str) -> float:
    """NaN for what is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
