"""Decoupled weight decay for Muon (O3).

    W <- (1 - lr wd) W      just before the update; lr with the schedule's multiplier, wd with its own

Keeps the weights small. Where exporters have a floored step (before #1394), that also makes the artifact smaller. A
bank decays as a whole.

Source: record 2026-03-19 "10L Muon WD Overtone"; .01 to .04 in openai/parameter-golf#162 and its line, .085 in #1218.
"""

from pgolf import Component, Plugin, Setting, hookimpl

PLUGIN = Plugin(
    name="muon_weight_decay",
    summary="Decoupled weight decay on every matrix.",
    source="openai/parameter-golf#162, #1218",
    family="optimizer",
    effect="-0.002 to -0.005 BPB, and a smaller artifact under exporters with a floored step",
    settings=(Setting("muon_wd", 0.04, "weight decay of the matrices", minimum=0.0),),
)


def decay_matrix(tensor, lr, scalars, ledger, weight_decay):
    """Shrink `tensor` in place."""
    tensor.mul_(1 - lr * weight_decay * scalars.weight_decay_mul)
    ledger.count("muon_weight_decay", "tensors decayed")


@hookimpl
def apply_taps(settings):
    """One decay for all matrices."""
    return Component(decay_matrix, weight_decay=settings.muon_wd)
