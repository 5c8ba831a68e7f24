"""Tanh cap: logits <- cap * tanh(z / cap).

Source: openai/parameter-golf, train_gpt.py (baseline).
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
    name="tanh_softcap",
    summary="Logits stay within a cap, by tanh.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
    settings=(Setting("logit_softcap", 30.0, "logits stay within +- this", minimum=0),),
)


def tanh_softcap(model: GPT, logits_BTV: Tensor, ctx: Context, cap: float) -> Tensor:
    """logits_BTV -> logits_BTV."""
    ctx.fired("tanh_softcap", "caps")
    return cap * torch.tanh(logits_BTV / cap)


@hookimpl
def logit_taps(settings: SettingsView) -> Component:
    """In training and scoring."""
    settings.require(settings.logit_softcap > 0, "logit_softcap", "more than 0")
    return Component(tanh_softcap, cap=settings.logit_softcap)
