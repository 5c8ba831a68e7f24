"""Cross-entropy of the next token in float32, in nats.

Source: openai/parameter-golf, train_gpt.py (baseline).
"""

import torch.nn.functional as F

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="cross_entropy",
    summary="Mean or per-token negative log-likelihood.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
)


def token_cross_entropy(model, logits_BTV, targets_BT, reduction, ctx):
    """A scalar for reduction "mean", (B,T) for "none"."""
    ctx.fired("cross_entropy", "losses")
    loss = F.cross_entropy(logits_BTV.flatten(0, 1).float(), targets_BT.flatten(), reduction=reduction)
    return loss.view_as(targets_BT) if reduction == "none" else loss


@hookimpl
def loss(settings) -> Component:
    """Cross-entropy."""
    return Component(token_cross_entropy)
