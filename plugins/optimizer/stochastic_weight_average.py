"""Stochastic weight averaging: the mean of snapshots from the last part of training.

    after step s, where lr_mul < START and s mod EVERY = 0:  sum += W, n += 1        W <- sum / n at the end

The sum is in float32; the script that it comes from summed in the weights' own dtype, where bfloat16 sums round away what they
add. With START = .2 it is what later scripts collected as "tight", and did not use.

Source: openai/parameter-golf#162 (SWA_ENABLED); #180.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.optimizer import Names
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.progress import Scalars
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="stochastic_weight_average",
    summary="Exports the mean of weights taken every so many steps late in training.",
    source="openai/parameter-golf#162",
    family="optimizer",
    effect="-0.001 to -0.002 BPB (#162, #180)",
    settings=(
        Setting(
            "swa_start_frac", 0.5, "snapshots are taken while the learning-rate multiplier is below this", minimum=0.0
        ),
        Setting("swa_every", 50, "steps from one snapshot to the next", minimum=1),
    ),
)


class StochasticWeightAverage:
    """`pgolf.contracts.optimizer.Average`; where no snapshot was due the last weights stay."""

    def __init__(self, start: float, every: int) -> None:
        self.threshold = start
        self.every = every

    def start(self, tensors: Sequence[Tensor], names: Sequence[Names]) -> None:
        """No snapshot yet."""
        self.count = 0
        self.sums = [torch.zeros_like(tensor, dtype=torch.float32) for tensor in tensors]

    @torch.no_grad()
    def update(self, tensors: Sequence[Tensor], steps: int, scalars: Scalars) -> None:
        """Take a snapshot if one is due."""
        if scalars.lr_mul < self.threshold and steps % self.every == 0:
            self.count += 1
            torch._foreach_add_(self.sums, [tensor.detach().float() for tensor in tensors])

    @torch.no_grad()
    def apply(self, tensors: Sequence[Tensor], ledger: Ledger) -> None:
        """Copy the mean into the live tensors, in their dtype."""
        if self.count:
            for tensor, total in zip(tensors, self.sums, strict=True):
                tensor.copy_(total / self.count)
        ledger.count("stochastic_weight_average", "snapshots", self.count)


@hookimpl
def average(settings: SettingsView) -> Component:
    """Snapshots of all weights."""
    settings.require(settings.swa_start_frac > 0, "swa_start_frac", "more than 0, or no snapshot is ever due")
    return Component(StochasticWeightAverage, start=settings.swa_start_frac, every=settings.swa_every)
