"""Adam for everything that is not a matrix of a layer: embeddings, head, scalars and vectors.

    m <- b1 m + (1-b1) g    v <- b2 v + (1-b2) g^2    w <- (1 - lr wd) w - lr m' / (sqrt(v') + eps)

with bias-corrected m', v'. Three groups with learning rates of their own: "embed", "scalar" and "head". Weight decay is
decoupled (AdamW), zero in the baseline, where AdamW and Adam are the same numbers.

Source: the baseline script; decoupled decay from openai/parameter-golf#198 on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from pgolf import Component, Group, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.optimizer import Names
    from pgolf.runtime.distributed import World
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.progress import Scalars
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="adam",
    summary="Fused AdamW with separate learning rates for embeddings, scalars and an untied head.",
    source="openai/parameter-golf baseline train_gpt.py, #198",
    family="optimizer",
    settings=(
        Setting("tied_embed_lr", 0.05, "learning rate of the embedding when it is also the head", minimum=0.0),
        Setting("embed_lr", 0.6, "learning rate of the embedding when the head is its own", minimum=0.0),
        Setting("scalar_lr", 0.04, "learning rate of scalars and vectors", minimum=0.0),
        Setting("head_lr", 0.008, "learning rate of an untied head", minimum=0.0),
        Setting("adam_wd", 0.0, "weight decay of scalars and an untied head", minimum=0.0),
        Setting("embed_wd", 0.0, "weight decay of embeddings", minimum=0.0),
    ),
)


class ElementAdam:
    """`pgolf.contracts.optimizer.ElementOptimizer`, one AdamW over all groups."""

    def __init__(self, beta1: float, beta2: float, eps: float) -> None:
        self.betas = (beta1, beta2)
        self.eps = eps

    def bind(self, groups: Sequence[tuple[Group, Sequence[Tensor], Sequence[Names]]], world: World) -> None:
        """Start with zero moments."""
        members = [{"params": tensors, "spec": spec} for spec, tensors, names in groups]
        self.optimizer = torch.optim.AdamW(members, betas=self.betas, eps=self.eps, fused=True)

    def step(self, scalars: Scalars, ledger: Ledger) -> None:
        """One update with the scheduled learning rates and weight decays."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["spec"].lr * scalars.lr_mul
            group["weight_decay"] = group["spec"].weight_decay * scalars.weight_decay_mul
        self.optimizer.step()
        ledger.count("adam", "steps")


@hookimpl
def element_optimizer(settings: SettingsView) -> Component:
    """The betas and epsilon are the engine's."""
    return Component(ElementAdam, beta1=settings.beta1, beta2=settings.beta2, eps=settings.adam_eps)


@hookimpl
def groups(settings: SettingsView) -> list[Group]:
    """The embedding learns more slowly when it doubles as the head."""
    embed_lr = settings.embed_lr if "untied_head" in settings.plugins else settings.tied_embed_lr
    return [
        Group("embed", embed_lr, settings.embed_wd),
        Group("scalar", settings.scalar_lr, settings.adam_wd),
        Group("head", settings.head_lr, settings.adam_wd),
    ]
