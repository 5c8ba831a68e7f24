"""Decoupled weight decay for Muon.

    W <- (1 - lr wd) W      just before the update; lr with the schedule's multiplier, wd with its own

Keeps the weights small. Where exporters have a floored step (before #1394), that also makes the artifact smaller. A
bank decays as a whole.

Source: record 2026-03-19 "10L Muon WD Overtone"; .01 to .04 in openai/parameter-golf#162 and its line, .085 in #1218.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.optimizer import Names
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.progress import Scalars
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="muon_weight_decay",
    summary="Decoupled weight decay on every matrix.",
    source="openai/parameter-golf#162, #1218",
    family="optimizer",
    effect="-0.002 to -0.005 BPB, and a smaller artifact under exporters with a floored step",
    settings=(Setting("muon_wd", 0.04, "weight decay of the matrices", minimum=0.0),),
)


def decay_matrix(
    tensor: Tensor, update: Tensor, names: Names, lr: float, scalars: Scalars, ledger: Ledger, weight_decay: float
) -> None:
    """Shrink `tensor` in place."""
    tensor.mul_(1 - lr * weight_decay * scalars.weight_decay_mul)
    ledger.count("muon_weight_decay", "tensors decayed")


@hookimpl
def apply_taps(settings: SettingsView) -> Component:
    """One decay for all matrices."""
    return Component(decay_matrix, weight_decay=settings.muon_wd)
