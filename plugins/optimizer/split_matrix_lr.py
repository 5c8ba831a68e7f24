"""Matrices of early and of late layers have learning rates of their own.

    lr_i = MATRIX_LR_EARLY for layers i < BANK_SPLIT, MATRIX_LR_LATE for the others; `matrix_lr` for matrices of no layer

The schedule multiplies both, and weight decay goes by a matrix's own rate. The public script cuts its banks at the split, so
that more slots are padding; here banks stay whole, and members of one rate are applied together.

Source: openai/parameter-golf#1204.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="split_matrix_lr",
    summary="Two learning rates for the matrices, below and above a layer.",
    source="openai/parameter-golf#1204",
    family="optimizer",
    settings=(
        Setting("matrix_lr_early", 0.025, "learning rate of matrices below the split", minimum=0.0),
        Setting("matrix_lr_late", 0.03, "learning rate of the other matrices", minimum=0.0),
        Setting("bank_split", 5, "first layer with the late rate", minimum=1),
    ),
)


def rate_by_depth(name: str, lr: float, ledger: Ledger, early: float, late: float, split: int) -> float:
    """The rate of the matrix `name`; `lr` where it belongs to no layer."""
    if not name.startswith("blocks."):
        return lr
    ledger.count("split_matrix_lr", "matrix updates")
    return early if int(name.split(".")[1]) < split else late


@hookimpl
def matrix_rate(settings: SettingsView) -> Component:
    """By the layer in the name."""
    early, late, split = settings.matrix_lr_early, settings.matrix_lr_late, settings.bank_split
    settings.require(split < settings.num_layers, "bank_split", f"less than the {settings.num_layers} layers")
    return Component(rate_by_depth, early=early, late=late, split=split)
