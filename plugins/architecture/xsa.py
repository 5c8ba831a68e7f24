"""Exclusive self-attention: what a token reads from its own value is taken out of the attention output.

    y_h <- y_h - (y_h . v) v,   v = v_{kv(h)} / |v_{kv(h)}|   of the current token

Acts on the last layers, before any output gate. Values include value embeddings.

Source: record 2026-03-20_11L_EfficientPartialXSA (PR #198 line); all layers in PR #1019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf import PlanFacts
    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="xsa",
    summary="Removes each token's own value direction from its attention output.",
    source="openai/parameter-golf record 2026-03-20_11L_EfficientPartialXSA",
    family="architecture",
    effect="-0.001 to -0.003 BPB, 1 to 2 ms a step",
    order=10,
    settings=(Setting("xsa_last_n", 11, "acts on this many last layers", minimum=1),),
)


class Xsa:
    """y_BTHC, v_BTKC -> y_BTHC; query heads of one group share the group's value."""

    def __init__(self, first_layer: int) -> None:
        self.first_layer = first_layer

    def __call__(
        self, model: GPT, y_BTHC: Tensor, v_BTKC: Tensor, n_BTD: Tensor, layer: int, position: int, ctx: Context
    ) -> Tensor:
        if layer < self.first_layer:
            return y_BTHC
        ctx.fired("xsa", "layers")
        grouped = torch.unflatten(y_BTHC, 2, (v_BTKC.size(2), -1))
        direction = F.normalize(v_BTKC, dim=-1)[:, :, :, None, :]
        return (grouped - (grouped * direction).sum(-1, keepdim=True) * direction).flatten(2, 3)


@hookimpl
def attention_outputs(settings: SettingsView, plan: PlanFacts) -> Component:
    """The last layers."""
    return Component(Xsa, first_layer=max(plan.num_blocks - settings.xsa_last_n, 0))
