"""Dense attention gate with a bias: each head's output is scaled by a sigmoid of the whole branch input.

    g = sigmoid(W n + b),   W (H, D) = 0 and b = 4 at start (g = .98),   y_h <- g_h y_h

A gate per head commutes with XSA.

Source: openai/parameter-golf PR #549 and PR #1019 (flag GATED_ATTENTION, off in the records).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.parameters import constant, zeros

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="gated_attention",
    summary="Sigmoid gate per head on the attention output, from the whole branch input.",
    source="openai/parameter-golf#549",
    family="architecture",
    order=20,
)


def gate_heads(
    model: GPT, y_BTHC: Tensor, v_BTKC: Tensor, n_BTD: Tensor, layer: int, position: int, ctx: Context
) -> Tensor:
    """y_BTHC -> gated y_BTHC."""
    ctx.fired("gated_attention", "layers")
    name = f"blocks.{layer}.attn.attn_gate"
    weight, bias = (ctx.weights[f"{name}.{part}"].to(n_BTD.dtype) for part in ("weight", "bias"))
    scores = F.linear(n_BTD, weight, bias)
    return y_BTHC * torch.sigmoid(scores)[..., None]


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """Weight and bias per layer."""
    layers, name = settings.num_layers, "blocks.{}.attn.attn_gate."
    shape = (settings.num_heads, settings.model_dim)
    return [
        Param(name + "weight", shape, "scalar", "control", init=Component(zeros), layers=layers),
        Param(name + "bias", shape[:1], "scalar", "control", init=Component(constant, value=4.0), layers=layers),
    ]


@hookimpl
def attention_outputs(settings: SettingsView) -> Component:
    """After XSA."""
    return Component(gate_heads)
