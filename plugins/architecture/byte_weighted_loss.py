"""Training losses weighted by the bytes that their targets stand for; scores stay plain cross-entropy.

    loss = sum_t bytes[target_t] * CE_t / sum_t bytes[target_t]

What is scored is the plain sum of nats over the sum of bytes: this trains for something else. Bytes are the byte
counter's, asked once for every id as if it stood after itself, so that a space before a word counts.

Source: the approach branches of Itssshikhar/parameter-golf ("BPB-weighted loss").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from pgolf import Component, Conflict, Plugin, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="byte_weighted_loss",
    summary="Training losses weighted by the bytes of their targets.",
    source="Itssshikhar/parameter-golf, approach branches",
    family="architecture",
    effect="harmful",
    conflicts=(
        Conflict("caseops", "side files count validation bytes alone, and training targets need counts"),
        Conflict("fused_cross_entropy", "two losses"),
    ),
)


class ByteWeightedLoss:
    """A scalar for reduction "mean", (B,T) for "none"; until `prepare` has run, all targets weigh the same."""

    def __init__(self) -> None:
        self.weights: Tensor | None = None

    def prepare(self, session: Session) -> str:
        """Ask for the bytes of every id."""
        ids = torch.arange(session.settings.vocab_size, device=session.world.device)[None]
        self.weights = session.program.byte_counter.count(ids, ids, torch.zeros_like(ids))[0].float()
        return f"{self.weights.mean():.2f} bytes for each of {self.weights.numel()} ids"

    def __call__(self, model: GPT, logits_BTV: Tensor, targets_BT: Tensor, reduction: str, ctx: Context) -> Tensor:
        ctx.fired("byte_weighted_loss", "losses")
        losses = F.cross_entropy(logits_BTV.flatten(0, 1).float(), targets_BT.flatten(), reduction="none")
        if reduction == "none":
            return losses.view_as(targets_BT)
        if self.weights is None or not ctx.training:
            return losses.mean()
        weights = self.weights[targets_BT.flatten()]
        return (losses * weights).sum() / weights.sum().clamp(min=1)


@hookimpl
def loss(settings: SettingsView) -> Component:
    """In place of the plain mean."""
    return Component(ByteWeightedLoss)
