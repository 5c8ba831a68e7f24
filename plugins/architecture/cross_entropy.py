"""Cross-entropy of the next token in float32, in nats.

Source: openai/parameter-golf, train_gpt.py (baseline).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F

from pgolf import Component, Plugin, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="cross_entropy",
    summary="Mean or per-token negative log-likelihood.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
)


def token_cross_entropy(model: GPT, logits_BTV: Tensor, targets_BT: Tensor, reduction: str, ctx: Context) -> Tensor:
    """A scalar for reduction "mean", (B,T) for "none"."""
    ctx.fired("cross_entropy", "losses")
    loss = F.cross_entropy(logits_BTV.flatten(0, 1).float(), targets_BT.flatten(), reduction=reduction)
    return loss.view_as(targets_BT) if reduction == "none" else loss


@hookimpl
def loss(settings: SettingsView) -> Component:
    """Cross-entropy."""
    return Component(token_cross_entropy)
