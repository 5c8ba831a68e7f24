"""Weight decay eases off towards the end of training.

    mul = 1 up to START, then linear to FINAL at the end of the budget, and FINAL after it

Every group's weight decay is multiplied. It is the opposite of what `weight_decay_schedule` does at the end.

Source: openai/parameter-golf#1729, where it is Muon's; dropped in #1736.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.progress import Progress, Scalars
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="weight_decay_taper",
    summary="Weight decay that falls over the last part of training.",
    source="openai/parameter-golf#1729",
    family="optimizer",
    requires=("muon_weight_decay|cautious_weight_decay",),
    effect="about -0.0003 BPB (#1729)",
    conflicts=(Conflict("weight_decay_schedule", "one lowers weight decay at the end, the other raises it"),),
    settings=(
        Setting("wd_taper_start_frac", 0.7, "share of the budget with the full weight decay", minimum=0.0, below=1),
        Setting("wd_taper_final_mult", 0.5, "multiplier at the end", minimum=0.0),
    ),
)


def taper_multiplier(fraction: float, start: float, final: float) -> float:
    """The weight-decay multiplier at a fraction of the budget."""
    if fraction <= start:
        return 1.0
    return 1.0 + (final - 1.0) * min((fraction - start) / (1.0 - start), 1.0)


def taper_schedule(progress: Progress, scalars: Scalars, ledger: Ledger, start: float, final: float) -> Scalars:
    """Multiply the weight-decay multiplier."""
    multiplier = taper_multiplier(progress.fraction, start, final)
    ledger.note("weight_decay_taper", f"multiplier {multiplier:.4f} at step {progress.step}")
    return scalars._replace(weight_decay_mul=scalars.weight_decay_mul * multiplier)


@hookimpl
def schedules(settings: SettingsView) -> Component:
    """One taper for every group."""
    start, final = settings.wd_taper_start_frac, settings.wd_taper_final_mult
    settings.require(final != 1.0, "wd_taper_final_mult", "another than 1, with which nothing tapers")
    return Component(taper_schedule, start=start, final=final)
