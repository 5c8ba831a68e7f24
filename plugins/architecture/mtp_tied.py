"""Multi-token prediction without heads of its own: the main head's logits are asked for later tokens as well.

    loss += weight * mean over k = 1..n of CE(logits_t, target_{t+k})          target_t = token t+1

Where batches number documents, a position whose target belongs to a later document is left out.

Source: an experiment on openai/parameter-golf PR #1493 (MTP_WEIGHT, MTP_STEPS).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Plugin, Setting, hookimpl
from pgolf.runtime.later_targets import mean_within_documents

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="mtp_tied",
    summary="The main head also predicts the tokens after the next one.",
    source="Itssshikhar/parameter-golf, PR #1493 experiments",
    family="architecture",
    effect="+0.0094 BPB: harmful",
    conflicts=tuple(
        Conflict(name, "negative with recurrence (PR #363)", hard=False)
        for name in ("depth_recurrence", "layer_loop", "progressive_loop")
    ),
    settings=(
        Setting("mtp_steps", 1, "how many later tokens", minimum=1),
        Setting("mtp_weight", 0.1, "weight of their mean loss", minimum=0),
    ),
)


class TiedMtpLoss:
    """A scalar."""

    def __init__(self, steps: int, weight: float) -> None:
        self.steps = steps
        self.weight = weight

    def __call__(self, model: GPT, x_BTD: Tensor, logits_BTV: Tensor, targets_BT: Tensor, ctx: Context) -> Tensor:
        ctx.fired("mtp_tied", "losses", self.steps)
        total = x_BTD.new_zeros(())
        for ahead in range(1, self.steps + 1):
            losses = model.program.loss(model, logits_BTV[:, :-ahead], targets_BT[:, ahead:], "none", ctx)
            total = total + mean_within_documents(losses, ahead, ctx)
        return total * (self.weight / self.steps)


@hookimpl
def auxiliary_losses(settings: SettingsView) -> Component:
    """Beside the cross-entropy."""
    settings.require(settings.mtp_weight > 0, "mtp_weight", "more than 0")
    most = settings.train_seq_len - 1
    settings.require(settings.mtp_steps <= most, "mtp_steps", f"at most {most}, less than train_seq_len")
    return Component(TiedMtpLoss, steps=settings.mtp_steps, weight=settings.mtp_weight)
