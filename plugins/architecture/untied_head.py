"""A head of its own beside the token embedding, zero at start.

    x = E[ids]         logits = h W^T

Source: openai/parameter-golf, train_gpt.py (baseline with TIE_EMBEDDINGS=0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.layers import use_matrix
from pgolf.runtime.parameters import normal, zeros

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="untied_head",
    summary="Separate output head.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
)


def untied_head(model: GPT, x_BTD: Tensor, ctx: Context) -> Tensor:
    """h_BTD -> logits_BTV."""
    ctx.fired("untied_head", "heads")
    return use_matrix(model, ctx.weights["lm_head.weight"], x_BTD, "head", 0, 0, ctx)


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """Embedding and head."""
    shape = (settings.vocab_size, settings.model_dim)
    return [
        Param("tok_emb.weight", shape, "embed", "embed", init=Component(normal, std=1.0), dtype="activation"),
        Param("lm_head.weight", shape, "head", "head", init=Component(zeros), tap="head"),
    ]


@hookimpl
def head(settings: SettingsView) -> Component:
    """Its own matrix."""
    return Component(untied_head)
