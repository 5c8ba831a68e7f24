"""SmearGate, first form: every position of the raw embedding keeps most of itself and takes in the one before it.

    x_t <- g * x_t + (1 - g) * x_{t-1},   g = sigmoid(w) per channel, x_{-1} = 0, w = 3 at start (g = .953)

Acts after terms such as a bigram table and before the embedding norm. Where documents are told apart (batch field "starts" or
"documents"), the first token of one takes in nothing.

Source: record 2026-03-19_smeargate_orthoinit_muonwd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Conflict, Param, Plugin, hookimpl
from pgolf.runtime.layers import document_begins, shift_right
from pgolf.runtime.parameters import constant

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="smear_gate_v1",
    summary="Blends the previous position into the raw embedding, a twentieth at start.",
    source="openai/parameter-golf record 2026-03-19_smeargate_orthoinit_muonwd",
    family="architecture",
    conflicts=(
        Conflict("smear_gate", "both mix the previous position into the stem"),
        Conflict("smear_gate_v3", "both mix the previous position into the stem"),
    ),
)


def smear_first(model: GPT, x_BTD: Tensor, ids_BT: Tensor, ctx: Context) -> Tensor:
    """x_BTD -> x_BTD."""
    ctx.fired("smear_gate_v1", "blends")
    before = shift_right(x_BTD)
    begins = document_begins(ctx)
    if begins is not None:
        before = before.masked_fill(begins[..., None], 0)
    gate = torch.sigmoid(ctx.weights["smeargate.gate"]).to(x_BTD.dtype)
    return gate * x_BTD + (1 - gate) * before


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """One gate per channel."""
    return [Param("smeargate.gate", (settings.model_dim,), "scalar", "control", init=Component(constant, value=3.0))]


@hookimpl
def stem_raw(settings: SettingsView) -> Component:
    """Before the norm."""
    return Component(smear_first)
