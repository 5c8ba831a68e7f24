"""SmearGate, third form: the raw embedding adds a gated share of the one before it, never across documents.

    e_t <- e_t + [t starts no document] * lambda * sigmoid(w . e_t[:gate_window]) * e_{t-1},   e_{-1} = 0

Acts before the embedding norm. e_{t-1} is the table's own row, so nothing travels further than one position. lambda and w
start at zero, which is the identity; the gradient reaches lambda first, since sigmoid(0) = 1/2.

Source: openai/parameter-golf PR #1667; documents kept apart since PR #1851; KellerJordan/modded-nanogpt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from pgolf import Component, Conflict, Param, Plugin, Setting, hookimpl
from pgolf.runtime.layers import shift_right
from pgolf.runtime.parameters import zeros

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="smear_gate_v3",
    summary="Adds a gated share of the previous position to the raw embedding, inside documents.",
    source="openai/parameter-golf#1851",
    family="architecture",
    effect="0 to -0.0005 BPB",
    requires=("document_starts",),
    conflicts=(Conflict("smear_gate", "both mix the previous position into the stem"),),
    settings=(
        Setting("gate_window", 12, "first channels that a gate reads", minimum=1),
        Setting(
            "quirk_smear_across_documents", False, "let a document's first token take from the one before, as PR #1667"
        ),
    ),
)


def smear_raw(model: GPT, x_BTD: Tensor, ids_BT: Tensor, ctx: Context, window: int, across: bool) -> Tensor:
    """x_BTD -> x_BTD."""
    ctx.fired("smear_gate_v3", "blends")
    gate = torch.sigmoid(F.linear(x_BTD[..., :window], ctx.weights["smear_gate.weight"].to(x_BTD.dtype)))
    share = ctx.weights["smear_lambda"].to(x_BTD.dtype) * gate
    if not across:
        share = share.masked_fill(ctx.fields["starts"][..., None], 0)
    return x_BTD + share * shift_right(x_BTD)


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """The gate's weights and the share."""
    window, dim = settings.gate_window, settings.model_dim
    settings.require(window <= dim, "gate_window", f"at most {dim}, the channels of the stream")
    return [
        Param("smear_gate.weight", (1, window), "scalar", "control", init=Component(zeros)),
        Param("smear_lambda", (1,), "scalar", "control", init=Component(zeros)),
    ]


@hookimpl
def stem_raw(settings: SettingsView) -> Component:
    """Before the norm."""
    return Component(smear_raw, window=settings.gate_window, across=settings.quirk_smear_across_documents)
