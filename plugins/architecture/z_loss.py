"""z-loss: weight * mean(logsumexp(logits)^2), added to the training loss alone.

It pulls the normalizer of the distribution towards one, so that logits do not drift. The public script counts it in its
chunked validation too; scores here never hold it.

Source: the record of 2026-03-24, 74M Ternary; PaLM, arXiv:2204.02311.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="z_loss",
    summary="Keeps the normalizer of the logits near one.",
    source="openai/parameter-golf, record 2026-03-24 74M Ternary",
    family="architecture",
    conflicts=(Conflict("fused_cross_entropy", "the kernel never stores capped logits, whose normalizer this needs"),),
    settings=(Setting("z_loss_weight", 1e-4, "strength", minimum=0.0),),
)


def square_normalizer(
    model: GPT, x_BTD: Tensor, logits_BTV: Tensor, targets_BT: Tensor, ctx: Context, weight: float
) -> Tensor:
    """A scalar."""
    ctx.fired("z_loss", "penalties")
    return weight * logits_BTV.float().logsumexp(2).square().mean()


@hookimpl
def auxiliary_losses(settings: SettingsView) -> Component:
    """Beside the cross-entropy."""
    settings.require(settings.z_loss_weight > 0, "z_loss_weight", "more than 0")
    return Component(square_normalizer, weight=settings.z_loss_weight)
