"""Magnitude prune: the smallest weights of every large matrix are zero before it is quantized.

    W_ij <- 0 where |W_ij| < quantile of |W| over the whole matrix      (linearly interpolated)

It makes codes compress better, and costs what those weights were worth; corrections see the pruned weights as an error.

Source: openai/parameter-golf, record 2026-03-20_10L_Int5MLP_MuonWD04_SWA50 (1.1428 BPB), three weights of a hundred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.quantize import KEPT_ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="magnitude_prune",
    summary="The smallest weights of each large matrix become zero before quantization.",
    source="openai/parameter-golf, record 2026-03-20_10L_Int5MLP_MuonWD04_SWA50",
    family="quantizer",
    settings=(Setting("magnitude_prune_share", 0.03, "share of the weights that is zeroed", minimum=0.0, below=1.0),),
)


class MagnitudePrune:
    """Tensor transform; matrices of at most 65,536 elements, and what is no matrix, stay."""

    def __init__(self, share: float) -> None:
        self.share = share

    def apply(
        self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """`tensor` without its smallest weights; what inputs are like does not change."""
        if tensor.ndim == 2 and tensor.numel() > KEPT_ELEMENTS:
            ledger.count("magnitude_prune", "matrices")
            tensor = tensor.masked_fill(tensor.abs() < quantile(tensor.abs(), self.share), 0.0)
        return tensor, statistics

    def undo(self, name: str, tensor: Tensor) -> Tensor:
        """Nothing: what is pruned is gone."""
        return tensor


def quantile(values: Tensor, share: float) -> Tensor:
    """Linear interpolation between the two order statistics around `share`, of as many elements as there may be.

    `torch.quantile` takes no more than 16 million.
    """
    place = share * (values.numel() - 1)
    low = int(place)
    ordered = values.float().flatten().sort().values[low : low + 2]
    return torch.lerp(ordered[0], ordered[-1], place - low)


@hookimpl
def tensor_transforms(settings: SettingsView) -> Component:
    """Before any recipe sees the matrix."""
    settings.require(settings.magnitude_prune_share > 0, "magnitude_prune_share", "more than 0, such as 0.03")
    return Component(MagnitudePrune, share=settings.magnitude_prune_share)
