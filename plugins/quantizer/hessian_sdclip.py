"""Hessian-aware clip: rows that matter more are clipped further out, those that matter less closer in.

    h_j = H_jj / mean(diag H)      r_i = mean_j(|W_ij| h_j) / mean over rows      clip_i <- clip_i (1 + lambda (r_i - 1))

H is mended and damped as gptq does it.

Source: openai/parameter-golf#1412.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.quantize import damped_hessian

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="hessian_sdclip",
    summary="Clips scaled by how much a row's weights meet large inputs.",
    source="openai/parameter-golf#1412",
    family="quantizer",
    effect="about -0.0003 BPB (claim)",
    requires=("gptq", "sdclip"),
    settings=(Setting("hessian_clip_lambda", 0.175, "weight of a row's importance; 0 leaves clips alone", minimum=0),),
)


class ImportantRows:
    """Clip tap."""

    statistics = ("hessian",)

    def __init__(self, weight: float, damp: float) -> None:
        self.weight = weight
        self.damp = damp

    def __call__(
        self, weight: Tensor, clip: Tensor, top: int, statistics: Mapping[str, Tensor], ledger: Ledger
    ) -> Tensor:
        """The clips (rows,) of `weight` (rows, columns)."""
        diagonal = damped_hessian(statistics["hessian"], self.damp)[0].diagonal()
        importance = (weight.abs() * (diagonal / diagonal.mean())).mean(1)
        ledger.count("hessian_sdclip", "matrices")
        relative = importance / importance.mean().clamp_min(1e-30)
        return clip * (1 + self.weight * (relative - 1))


@hookimpl
def clip_taps(settings: SettingsView) -> Component | None:
    """Every matrix that has statistics."""
    return Component(ImportantRows, weight=settings.hessian_clip_lambda, damp=settings.gptq_damp)
