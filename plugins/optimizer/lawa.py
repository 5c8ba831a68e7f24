"""Latest weight averaging: the mean of the last few snapshots.

    a snapshot every FREQ steps, of which the last K are kept        W <- their mean at the end

Snapshots are kept in the weights' own dtype, K copies of the model; the mean is taken in float32.

Source: openai/parameter-golf#374 (LAWA_ENABLED, off in every record), after Kaddour, "Stop Wasting My Time!", 2022.
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
    name="lawa",
    summary="Exports the mean of the last few snapshots of the weights.",
    source="openai/parameter-golf#374",
    family="optimizer",
    settings=(
        Setting("lawa_k", 10, "snapshots that are averaged", minimum=1),
        Setting("lawa_freq", 100, "steps from one snapshot to the next", minimum=1),
    ),
)


class LatestWeightAverage:
    """`pgolf.contracts.optimizer.Average`; where no snapshot was due the last weights stay."""

    def __init__(self, size: int, every: int) -> None:
        self.size = size
        self.every = every

    def start(self, tensors: Sequence[Tensor], names: Sequence[Names]) -> None:
        """No snapshot yet."""
        self.snapshots: list[list[torch.Tensor]] = []

    def update(self, tensors: Sequence[Tensor], steps: int, scalars: Scalars) -> None:
        """Take a snapshot if one is due, and forget the oldest if there are too many."""
        if steps % self.every == 0:
            self.snapshots = [*self.snapshots, [tensor.detach().clone() for tensor in tensors]][-self.size :]

    @torch.no_grad()
    def apply(self, tensors: Sequence[Tensor], ledger: Ledger) -> None:
        """Copy the mean into the live tensors, in their dtype."""
        if self.snapshots:
            for tensor, *taken in zip(tensors, *self.snapshots, strict=True):
                tensor.copy_(torch.stack(taken).float().mean(0))
        ledger.count("lawa", "snapshots", len(self.snapshots))


@hookimpl
def average(settings: SettingsView) -> Component:
    """Snapshots of all weights."""
    return Component(LatestWeightAverage, size=settings.lawa_k, every=settings.lawa_freq)
