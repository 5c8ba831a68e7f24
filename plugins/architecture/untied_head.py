"""A head of its own beside the token embedding, zero at start, with a tanh cap on the logits.

    x = E[ids]         logits = cap * tanh(h W^T / cap)

Source: openai/parameter-golf, train_gpt.py (baseline with TIE_EMBEDDINGS=0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Param, Plugin, Setting, hookimpl
from pgolf.runtime.layers import use_matrix
from pgolf.runtime.parameters import normal, zeros

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="untied_head",
    summary="Separate output head, capped logits.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
    settings=(Setting("logit_softcap", 30.0, "logits stay within +- this", minimum=0),),
)


class UntiedHead:
    """h_BTD -> logits_BTV."""

    def __init__(self, softcap: float) -> None:
        self.softcap = softcap

    def __call__(self, model: GPT, x_BTD: Tensor, ctx: Context) -> Tensor:
        ctx.fired("untied_head", "heads")
        z = use_matrix(model, ctx.weights["lm_head.weight"], x_BTD, "head", 0, 0, ctx)
        return self.softcap * torch.tanh(z / self.softcap)


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
    settings.require(settings.logit_softcap > 0, "logit_softcap", "more than 0")
    return Component(UntiedHead, softcap=settings.logit_softcap)
