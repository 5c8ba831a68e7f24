"""Value residual: later layers add a learned share of the first layer's values.

    v <- v + sigmoid(alpha_l) * v_0   for layers >= 1; one scalar alpha per layer, layer 0's has no use

Source: openai/parameter-golf record 2026-03-25 (PR #1019 flag VALUE_RESIDUAL); arXiv:2410.17897.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.parameters import zeros

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="value_residual",
    summary="Adds a share of layer 0's values to later layers.",
    source="openai/parameter-golf#1019",
    family="architecture",
    effect="measured neutral, never on in a record",
    order=20,
)


def add_first_values(model: GPT, v_BTE: Tensor, n_BTD: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
    """v_BTE -> v_BTE; the first layer only leaves its values behind."""
    if "v0" not in ctx.memo:
        ctx.memo["v0"] = v_BTE
        return v_BTE
    first: Tensor = ctx.memo["v0"]
    ctx.fired("value_residual", "layers")
    share = torch.sigmoid(ctx.weights[f"blocks.{layer}.attn.vrl_alpha"]).to(v_BTE.dtype)
    return v_BTE + share * first


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """One scalar per layer."""
    layers = settings.num_layers
    return [Param("blocks.{}.attn.vrl_alpha", (1,), "scalar", "control", init=Component(zeros), layers=layers)]


@hookimpl
def value_terms(settings: SettingsView) -> Component:
    """After value embeddings."""
    return Component(add_first_values)
