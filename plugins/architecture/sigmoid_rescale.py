"""Logits through a sigmoid: logits <- scale * sigmoid((z + shift) / width), between 0 and scale.

Source: KellerJordan/modded-nanogpt (23, 5, 7.5), where no weights are quantized.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="sigmoid_rescale",
    summary="Logits between 0 and a scale, by a sigmoid.",
    source="KellerJordan/modded-nanogpt",
    family="architecture",
    effect="negative in a fork: it widens the gap that quantization opens",
    replaces=("tanh_softcap",),
    settings=(
        Setting("sigmoid_logit_scale", 23.0, "upper end of the logits", minimum=0),
        Setting("sigmoid_logit_shift", 5.0, "added before the sigmoid"),
        Setting("sigmoid_logit_width", 7.5, "divisor before the sigmoid", minimum=0),
    ),
)


class SigmoidRescale:
    """logits_BTV -> logits_BTV."""

    def __init__(self, scale: float, shift: float, width: float) -> None:
        self.scale = scale
        self.shift = shift
        self.width = width

    def __call__(self, model: GPT, logits_BTV: Tensor, ctx: Context) -> Tensor:
        ctx.fired("sigmoid_rescale", "caps")
        return self.scale * torch.sigmoid((logits_BTV + self.shift) / self.width)


@hookimpl
def logit_taps(settings: SettingsView) -> Component:
    """In training and scoring."""
    for name in ("sigmoid_logit_scale", "sigmoid_logit_width"):
        settings.require(getattr(settings, name) > 0, name, "more than 0")
    return Component(
        SigmoidRescale,
        scale=settings.sigmoid_logit_scale,
        shift=settings.sigmoid_logit_shift,
        width=settings.sigmoid_logit_width,
    )
