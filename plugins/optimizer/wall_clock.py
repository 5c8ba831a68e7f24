"""Training time by the wall: what the challenge's 600 seconds are counted in.

Runs while training runs: `pause` before validation or logging work that the rules do not count, `start` after it. Both
wait for the GPU, so work queued before is charged to the side that queued it. `elapsed_ms` does not wait: once a step,
a reading that trails the queue by a step or two is enough, and waiting would cost time.

Source: the baseline script.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, hookimpl

if TYPE_CHECKING:
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="wall_clock",
    summary="Wall-clock training time without the paused stretches.",
    source="openai/parameter-golf baseline train_gpt.py",
    family="optimizer",
)


class WallClock:
    """`pgolf.contracts.optimizer.Clock` of real time."""

    deterministic = False

    def __init__(self) -> None:
        self.before = 0.0

    def start(self) -> None:
        """Go on counting."""
        self.since = time.perf_counter() - self.before

    def pause(self, ledger: Ledger) -> None:
        """Stop counting until the next `start`."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.before = time.perf_counter() - self.since
        ledger.note("wall_clock", f"{self.before:.3f} seconds")

    def elapsed_ms(self, step: int) -> float:
        """Milliseconds of training so far, while it runs."""
        return 1000.0 * (time.perf_counter() - self.since)


@hookimpl
def clock(settings: SettingsView) -> Component:
    """Real time."""
    return Component(WallClock)
