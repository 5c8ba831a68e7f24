"""Training time by counting: every step takes the same number of milliseconds.

Schedules, phases and the time cap then depend on the step alone, so two runs on any machine are equal. For tests and
comparisons; a record's time is `wall_clock`'s.

Source: none; pgolf's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="step_clock",
    summary="A clock that advances by a fixed time per step, for reproducible runs.",
    source="pgolf",
    family="optimizer",
    settings=(Setting("step_clock_ms", 100.0, "milliseconds that a step counts for", minimum=0.0),),
)


class StepClock:
    """`pgolf.contracts.optimizer.Clock` that counts steps."""

    deterministic = True

    def __init__(self, ms_per_step: float) -> None:
        self.ms_per_step = ms_per_step

    def start(self) -> None:
        """Time passes with steps only."""

    def pause(self, ledger: Ledger) -> None:
        """Time passes with steps only."""
        ledger.note("step_clock", f"{self.ms_per_step} ms per step")

    def elapsed_ms(self, step: int) -> float:
        """step * ms_per_step."""
        return step * self.ms_per_step


@hookimpl
def clock(settings: SettingsView) -> Component:
    """Counted time."""
    return Component(StepClock, ms_per_step=settings.step_clock_ms)
