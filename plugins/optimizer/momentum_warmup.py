"""Muon's momentum rises linearly over the first steps.

    f = min(step / steps, 1)        mu = (1 - f) start + f final

A short memory at the start keeps the first, large gradients from being replayed for dozens of steps. The baseline goes
from .85 to .95 over 500 steps; later records from .92 to .99 or .97 over 1,500.

Source: the baseline script; openai/parameter-golf#1514 measured .99 -> .97.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.progress import Progress, Scalars
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="momentum_warmup",
    summary="Linear warm-up of Muon's momentum.",
    source="openai/parameter-golf baseline train_gpt.py, #1514",
    family="optimizer",
    effect="-0.0006 to -0.001 BPB for a final momentum of .97 in place of .99 (#1514)",
    settings=(
        Setting("muon_momentum", 0.95, "momentum after the warm-up", minimum=0.0, below=1),
        Setting("muon_momentum_warmup_start", 0.85, "momentum at step 0", minimum=0.0, below=1),
        Setting("muon_momentum_warmup_steps", 500, "length of the warm-up in steps", minimum=0),
    ),
)


def momentum_schedule(
    progress: Progress, scalars: Scalars, ledger: Ledger, start: float, final: float, steps: int
) -> Scalars:
    """Set the step's momentum."""
    done = min(progress.step / steps, 1.0) if steps > 0 else 1.0
    momentum = (1 - done) * start + done * final
    ledger.note("momentum_warmup", f"momentum {momentum:.4f} at step {progress.step}")
    return scalars._replace(momentum=momentum)


@hookimpl
def schedules(settings: SettingsView) -> Component:
    """From the start value to the final one."""
    return Component(
        momentum_schedule,
        start=settings.muon_momentum_warmup_start,
        final=settings.muon_momentum,
        steps=settings.muon_momentum_warmup_steps,
    )
