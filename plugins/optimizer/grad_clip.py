"""Gradient clipping by the global norm.

    G <- G min(1, max_norm / (|G| + 1e-6))      |G| over all parameters of the model

G is the average over ranks, as in scripts with DistributedDataParallel. `quirk_clip_each_rank` clips each rank's own gradient
before the average, with a factor of its own, as the scripts with banks do. With one rank the two are the same up to rounding.

Source: openai/parameter-golf#549 (0.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.distributed import sum_over_ranks

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.optimizer import Names
    from pgolf.runtime.distributed import World
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="grad_clip",
    summary="Clips the global norm of the gradient.",
    source="openai/parameter-golf#549",
    family="optimizer",
    settings=(
        Setting("grad_clip_norm", 0.3, "largest gradient norm; 0 is off", minimum=0.0),
        Setting(
            "quirk_clip_each_rank", False, "each rank clips its own gradient, before their mean, as scripts with banks"
        ),
    ),
)


def clip_gradients(tensors: Sequence[Tensor], names: Sequence[Names], ledger: Ledger, max_norm: float) -> None:
    """Scale the gradients of `tensors` in place."""
    nn.utils.clip_grad_norm_(tensors, max_norm)
    ledger.count("grad_clip", "steps")


def clip_mean(
    gradients: Sequence[Tensor],
    names: Sequence[Names],
    replicated: Sequence[bool],
    world: World,
    ledger: Ledger,
    max_norm: float,
) -> None:
    """Scale the mean gradients in place, alike on every rank."""
    whole = [gradient for gradient, every in zip(gradients, replicated, strict=True) if every]
    shares = [gradient for gradient, every in zip(gradients, replicated, strict=True) if not every]
    total = square_sum(whole, world) + sum_over_ranks(square_sum(shares, world), world)
    factor = (max_norm / (total.sqrt() + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factor)
    ledger.count("grad_clip", "steps")


def square_sum(tensors: Sequence[Tensor], world: World) -> Tensor:
    """Sum of all squares in float32, zero for no tensors."""
    norms = [torch.linalg.vector_norm(tensor, dtype=torch.float32) for tensor in tensors]
    return torch.stack([torch.zeros((), device=world.device), *norms]).square().sum()


@hookimpl
def gradient_taps(settings: SettingsView) -> Component | None:
    """Nothing to do at 0."""
    clips = settings.grad_clip_norm > 0 and settings.quirk_clip_each_rank
    return Component(clip_gradients, max_norm=settings.grad_clip_norm) if clips else None


@hookimpl
def mean_gradient_taps(settings: SettingsView) -> Component | None:
    """Nothing to do at 0."""
    clips = settings.grad_clip_norm > 0 and not settings.quirk_clip_each_rank
    return Component(clip_mean, max_norm=settings.grad_clip_norm) if clips else None
