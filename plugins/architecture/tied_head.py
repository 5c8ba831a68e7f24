"""Token embedding that is also the output head.

    x = E[ids]         logits = h E^T

Source: openai/parameter-golf, train_gpt.py (baseline).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Param, Plugin, Setting, hookimpl
from pgolf.runtime.layers import use_matrix
from pgolf.runtime.parameters import normal

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="tied_head",
    summary="One matrix for embedding and head.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
    settings=(Setting("tied_embed_init_std", 0.005, "standard deviation of the embedding at start", minimum=0),),
)


def tied_head(model: GPT, x_BTD: Tensor, ctx: Context) -> Tensor:
    """h_BTD -> logits_BTV."""
    ctx.fired("tied_head", "heads")
    return use_matrix(model, ctx.weights["tok_emb.weight"], x_BTD, "head", 0, 0, ctx)


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """The embedding, stored in the activation dtype."""
    std = settings.tied_embed_init_std
    settings.require(std > 0, "tied_embed_init_std", "more than 0: no gradient leaves an embedding of zeros")
    return [
        Param(
            "tok_emb.weight",
            (settings.vocab_size, settings.model_dim),
            "embed",
            "embed",
            init=Component(normal, std=std),
            dtype="activation",
            tap="head",
        )
    ]


@hookimpl
def head(settings: SettingsView) -> Component:
    """The embedding again."""
    return Component(tied_head)
