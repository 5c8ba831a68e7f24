"""MLP with a squared leaky ReLU: Wp phi(Wf n),  phi(p) = p^2 for p > 0 and (slope * p)^2 otherwise.

The square makes both sides positive; with slope .5 the left side is p^2 / 4 and keeps a gradient.

Source: openai/parameter-golf PR #549; all later records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="leaky_relu2",
    summary="MLP with squared leaky ReLU.",
    source="openai/parameter-golf#549",
    family="architecture",
    effect="-0.0021 to -0.003 BPB",
    settings=(Setting("negative_slope", 0.5, "slope of the leaky ReLU on the left"),),
)


class LeakyRelu2Mlp:
    """n_BTD -> x_BTD."""

    def __init__(self, slope: float) -> None:
        self.slope = slope

    def __call__(self, model: GPT, n_BTD: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
        ctx.fired("leaky_relu2", "layers")
        hidden = F.leaky_relu(model.project(n_BTD, "mlp.fc", layer, position, ctx), self.slope).square()
        return model.project(hidden, "mlp.proj", layer, position, ctx)


@hookimpl
def mlp(settings: SettingsView) -> Component:
    """Squared leaky ReLU."""
    return Component(LeakyRelu2Mlp, slope=settings.negative_slope)
