"""Dynamic token gate: each token decides how much of a layer's whole update it takes.

    u = a * x + b * x0,   z = u + s_a * Attn(n(u)) then + s_m * MLP,   x <- u + g (z - u),   g = sigmoid(w . u + b) per token

w = 0 and b = 2 at start (g = .88). The gate reads u without sending a gradient back into the stream.

Source: openai/parameter-golf PR #1019 (flag DTG_ENABLED, off in the records).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.parameters import constant, zeros
from pgolf.runtime.wiring import (
    branch_input,
    join_first_lane,
    residual_mix,
    scaled_attention,
    scaled_mlp,
    walk_plan,
)

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.architecture import Lanes
    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="dtg_gate",
    summary="One gate per token on the update of a whole layer.",
    source="openai/parameter-golf#1019",
    family="architecture",
    effect="measured neutral or worse, never on in a record",
    requires=("residual_scales",),
)


def gated_block(model: GPT, lanes: Lanes, x0: Tensor, layer: int, position: int, ctx: Context) -> Lanes:
    """One layer on one lane."""
    ctx.fired("dtg_gate", "layers")
    u = residual_mix(model, lanes[0], x0, layer, ctx)
    z = u + scaled_attention(model, branch_input(model, u, layer, position, ctx), layer, position, ctx)
    z = z + scaled_mlp(model, branch_input(model, z, layer, position, ctx), layer, position, ctx)
    weight, bias = (ctx.weights[f"blocks.{layer}.dtg_gate.{part}"].to(u.dtype) for part in ("weight", "bias"))
    return (u + torch.sigmoid(F.linear(u.detach(), weight, bias)) * (z - u),)


def dtg_wiring(model: GPT, x_BTD: Tensor, x0_BTD: Tensor, ctx: Context) -> Tensor:
    """The whole plan."""
    return walk_plan(model, (x_BTD,), x0_BTD, ctx, gated_block, join_first_lane)[0]


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """Weights and bias of every layer's gate."""
    name, layers = "blocks.{}.dtg_gate.", settings.num_layers
    open_gate = Component(constant, value=2.0)
    return [
        Param(name + "weight", (1, settings.model_dim), "scalar", "control", init=Component(zeros), layers=layers),
        Param(name + "bias", (1,), "scalar", "control", init=open_gate, layers=layers),
    ]


@hookimpl
def wiring(settings: SettingsView) -> Component:
    """Takes the place of one stream without gates."""
    return Component(dtg_wiring)
