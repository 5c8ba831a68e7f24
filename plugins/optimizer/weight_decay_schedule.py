"""Weight decay falls in the middle of training and rises at its end.

    mul = 1 up to HOLD, then linear to LOW at RAMP, then linear to HIGH at 1        of the time or step budget

Every group's weight decay is multiplied. Weights first move freely, then are squeezed before they are quantized. Past the
end of the budget the last slope goes on.

Source: a fork of openai/parameter-golf#1493, flag WD_SCHEDULE_ENABLED.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.progress import Progress, Scalars
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="weight_decay_schedule",
    summary="Weight decay that dips and then rises towards the end of training.",
    source="fork of openai/parameter-golf#1493",
    family="optimizer",
    requires=("muon_weight_decay|cautious_weight_decay",),
    effect="-0.0005 BPB with paired_muon on #1493, none on #1851",
    settings=(
        Setting("wd_sched_hold_frac", 0.4, "share of the budget with the full weight decay", minimum=0.0),
        Setting("wd_sched_ramp_frac", 0.85, "share of the budget at which weight decay is lowest", minimum=0.0),
        Setting("wd_sched_low_factor", 0.65, "multiplier at the lowest point", minimum=0.0),
        Setting("wd_sched_high_factor", 1.5, "multiplier at the end", minimum=0.0),
    ),
)


def decay_multiplier(fraction: float, hold: float, ramp: float, low: float, high: float) -> float:
    """The weight-decay multiplier at a fraction of the budget."""
    if fraction <= hold:
        return 1.0
    if fraction < ramp:
        return 1.0 + (low - 1.0) * (fraction - hold) / (ramp - hold)
    return low + (high - low) * (fraction - ramp) / (1.0 - ramp)


def decay_schedule(
    progress: Progress, scalars: Scalars, ledger: Ledger, hold: float, ramp: float, low: float, high: float
) -> Scalars:
    """Multiply the weight-decay multiplier."""
    multiplier = decay_multiplier(progress.fraction, hold, ramp, low, high)
    ledger.note("weight_decay_schedule", f"multiplier {multiplier:.4f} at step {progress.step}")
    return scalars._replace(weight_decay_mul=scalars.weight_decay_mul * multiplier)


@hookimpl
def schedules(settings: SettingsView) -> Component:
    """The lowest point lies between the end of the hold and the end of training."""
    hold, ramp = settings.wd_sched_hold_frac, settings.wd_sched_ramp_frac
    low, high = settings.wd_sched_low_factor, settings.wd_sched_high_factor
    settings.require(ramp < 1, "wd_sched_ramp_frac", "less than 1, the end of training")
    settings.require(hold <= ramp, "wd_sched_hold_frac", f"at most wd_sched_ramp_frac={ramp}")
    settings.require(
        (low, high) != (1.0, 1.0), "wd_sched_high_factor", "another than 1 where wd_sched_low_factor is 1 too"
    )
    return Component(decay_schedule, hold=hold, ramp=ramp, low=low, high=high)
