"""SmearGate, second form: every position of the normed embedding blends in the one before it.

    x_t <- (1 - g) * x_t + g * x_{t-1},   g = sigmoid(w) per channel, x_{-1} = 0, w = 0 at start (half and half)

Acts after the embedding norm and before x0 is taken. Where documents are told apart (batch field "starts" or
"documents"), the first token of one blends in nothing; without such a field the gate crosses documents.

Source: openai/parameter-golf PR #162.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.layers import document_begins, shift_right
from pgolf.runtime.parameters import zeros

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="smear_gate",
    summary="Blends the previous position into the normed embedding.",
    source="openai/parameter-golf#162",
    family="architecture",
    effect="-0.002 to -0.004 BPB claimed in the stack of PR #162",
)


def smear(model: GPT, x_BTD: Tensor, ids_BT: Tensor, ctx: Context) -> Tensor:
    """x_BTD -> x_BTD."""
    ctx.fired("smear_gate", "blends")
    before = shift_right(x_BTD)
    begins = document_begins(ctx)
    if begins is not None:
        before = before.masked_fill(begins[..., None], 0)
    gate = torch.sigmoid(ctx.weights["smear.gate"]).to(x_BTD.dtype)
    return (1 - gate) * x_BTD + gate * before


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """One gate per channel."""
    return [Param("smear.gate", (settings.model_dim,), "scalar", "control", init=Component(zeros))]


@hookimpl
def stem_normed(settings: SettingsView) -> Component:
    """After the norm."""
    return Component(smear)
