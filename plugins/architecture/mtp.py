"""Multi-token prediction: heads of their own learn the tokens after the next one, in training alone.

    loss += weight * mean over k = 1..n of CE(head_k(h_t), target_{t+k})       target_t = token t+1

h is the normed final hidden state that the main head reads too; the heads' logits pass the same taps. They start at zero
and are not exported. Where batches number documents, a position whose target belongs to a later document is left out.

Source: openai/parameter-golf PR #198 to PR #1019 (MTP_NUM_HEADS), off in every record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F

from pgolf import Component, Conflict, Param, Plugin, Setting, hookimpl
from pgolf.runtime.later_targets import mean_within_documents
from pgolf.runtime.parameters import zeros

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="mtp",
    summary="Auxiliary heads predict the tokens after the next one.",
    source="openai/parameter-golf#198",
    family="architecture",
    conflicts=tuple(
        Conflict(name, "negative with recurrence (PR #363)", hard=False)
        for name in ("depth_recurrence", "layer_loop", "progressive_loop")
    ),
    settings=(
        Setting("mtp_num_heads", 1, "auxiliary heads", minimum=1),
        Setting("mtp_loss_weight", 0.2, "weight of their mean loss", minimum=0),
    ),
)


class MtpLoss:
    """A scalar."""

    def __init__(self, num_heads: int, weight: float) -> None:
        self.num_heads = num_heads
        self.weight = weight

    def __call__(self, model: GPT, x_BTD: Tensor, logits_BTV: Tensor, targets_BT: Tensor, ctx: Context) -> Tensor:
        ctx.fired("mtp", "heads", self.num_heads)
        total = x_BTD.new_zeros(())
        for head in range(self.num_heads):
            ahead = head + 1
            logits = F.linear(x_BTD[:, :-ahead], ctx.weights[f"mtp_heads.{head}.weight"].to(x_BTD.dtype))
            for tap in model.program.logit_taps:
                logits = tap(model, logits, ctx)
            losses = model.program.loss(model, logits, targets_BT[:, ahead:], "none", ctx)
            total = total + mean_within_documents(losses, ahead, ctx)
        return total * (self.weight / self.num_heads)


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """One matrix for each head."""
    shape = (settings.vocab_size, settings.model_dim)
    return [
        Param(
            "mtp_heads.{}.weight",
            shape,
            "head",
            "head",
            init=Component(zeros),
            layers=settings.mtp_num_heads,
            average=False,
            adapt=False,
            export="drop",
        )
    ]


@hookimpl
def auxiliary_losses(settings: SettingsView) -> Component:
    """Beside the cross-entropy."""
    settings.require(settings.mtp_loss_weight > 0, "mtp_loss_weight", "more than 0")
    most = settings.train_seq_len - 1
    settings.require(settings.mtp_num_heads <= most, "mtp_num_heads", f"at most {most}, less than train_seq_len")
    return Component(MtpLoss, num_heads=settings.mtp_num_heads, weight=settings.mtp_loss_weight)
