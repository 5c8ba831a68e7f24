"""Warm-down over the last share of the budget, down to a floor.

    mul = max((1 - frac) / WARMDOWN_FRAC, MIN_LR) from frac = 1 - WARMDOWN_FRAC on, else 1

`frac` is the share of the time under a cap, which a reserve has made shorter already, else of the iterations. With a floor the
last MIN_LR * WARMDOWN_FRAC of the budget run at a constant rate.

Source: openai/parameter-golf#1218; the floor from #1787.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.progress import Progress, Scalars
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="warmdown_frac",
    summary="Linear learning-rate warm-down over the last share of the budget, down to a floor.",
    source="openai/parameter-golf#1218, #1787",
    family="optimizer",
    replaces=("warmdown_iters",),
    effect="a floor of 0.1 is about -0.0005 BPB with an average of the weights (#1787)",
    settings=(
        Setting("warmdown_frac", 0.667, "share of the budget over which the learning rate falls", minimum=0.0, below=1),
        Setting("min_lr", 0.0, "the least multiplier of the learning rate", minimum=0.0, below=1),
    ),
)


def warmdown_multiplier(fraction: float, share: float, floor: float) -> float:
    """The learning-rate multiplier at a fraction of the budget."""
    return max((1.0 - fraction) / share, floor) if share > 0 and fraction >= 1.0 - share else 1.0


def warmdown_schedule(progress: Progress, scalars: Scalars, ledger: Ledger, share: float, floor: float) -> Scalars:
    """Multiply the learning-rate multiplier by the warm-down's."""
    multiplier = warmdown_multiplier(progress.fraction, share, floor)
    ledger.note("warmdown_frac", f"multiplier {multiplier:.4f} at step {progress.step}")
    return scalars._replace(lr_mul=scalars.lr_mul * multiplier)


@hookimpl
def schedules(settings: SettingsView) -> Component:
    """One share and one floor for every group."""
    return Component(warmdown_schedule, share=settings.warmdown_frac, floor=settings.min_lr)
