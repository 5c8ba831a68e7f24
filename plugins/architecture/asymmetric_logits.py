"""Two learned factors on capped logits: positive ones times p, negative ones times n, both one at the start.

Source: openai/parameter-golf PR #1514, where the option is off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.parameters import ones

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="asymmetric_logits",
    summary="Learned factors for positive and for negative logits.",
    source="openai/parameter-golf#1514",
    family="architecture",
    order=60,
)


def scale_by_sign(model: GPT, logits_BTV: Tensor, ctx: Context) -> Tensor:
    """logits_BTV -> logits_BTV."""
    ctx.fired("asymmetric_logits", "heads")
    factors = ctx.weights["logit_sign_scale"].to(logits_BTV.dtype)
    return logits_BTV * torch.where(logits_BTV > 0, factors[0], factors[1])


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """(p, n)."""
    return [Param("logit_sign_scale", (2,), "scalar", "control", init=Component(ones))]


@hookimpl
def logit_taps(settings: SettingsView) -> Component:
    """After the cap."""
    return Component(scale_by_sign)
