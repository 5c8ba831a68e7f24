"""Gradient clipping by the global norm.

    G <- G min(1, max_norm / (|G| + 1e-6))      |G| over all parameters of the model

Every rank clips its own gradient before the average over ranks, as the banked scripts do; with more than one rank this
is not the clip of the average.

Source: openai/parameter-golf#549 (0.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.optimizer import Names
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="grad_clip",
    summary="Clips the global norm of each rank's gradient.",
    source="openai/parameter-golf#549",
    family="optimizer",
    settings=(Setting("grad_clip_norm", 0.3, "largest gradient norm; 0 is off", minimum=0.0),),
)


def clip_gradients(tensors: Sequence[Tensor], names: Sequence[Names], ledger: Ledger, max_norm: float) -> None:
    """Scale the gradients of `tensors` in place."""
    nn.utils.clip_grad_norm_(tensors, max_norm)
    ledger.count("grad_clip", "steps")


@hookimpl
def gradient_taps(settings: SettingsView) -> Component | None:
    """Nothing to do at 0."""
    return Component(clip_gradients, max_norm=settings.grad_clip_norm) if settings.grad_clip_norm > 0 else None
