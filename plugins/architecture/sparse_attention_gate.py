"""Sparse attention gate: each head's output is scaled by a sigmoid of a few channels of the branch input.

    g = sigmoid(s * W n[:gate_window]),   W (H, gate_window) = 0 at start (g = 1/2),   y_h <- g_h y_h

A gate per head commutes with XSA. 96 weights a layer at 8 heads do what a gate on the whole input does.

Source: openai/parameter-golf PR #1787, scale 0.5 in PR #1855; KellerJordan/modded-nanogpt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from pgolf import Component, Conflict, Param, Plugin, Setting, hookimpl
from pgolf.runtime.parameters import zeros

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="sparse_attention_gate",
    summary="Sigmoid gate per head on the attention output, from a few channels of the branch input.",
    source="openai/parameter-golf#1787",
    family="architecture",
    effect="as good as a gate on the whole input, with 44,000 parameters fewer",
    order=20,
    conflicts=(Conflict("gated_attention", "both gate the heads' outputs"),),
    settings=(
        Setting("gate_window", 12, "first channels that a gate reads", minimum=1),
        Setting("sparse_attn_gate_scale", 1.0, "factor on the gate's input"),
    ),
)


def gate_sparsely(
    model: GPT,
    y_BTHC: Tensor,
    v_BTKC: Tensor,
    n_BTD: Tensor,
    layer: int,
    position: int,
    ctx: Context,
    window: int,
    scale: float,
) -> Tensor:
    """y_BTHC -> gated y_BTHC."""
    ctx.fired("sparse_attention_gate", "layers")
    weight = ctx.weights[f"blocks.{layer}.attn.attn_gate_w"].to(n_BTD.dtype)
    return y_BTHC * torch.sigmoid(scale * F.linear(n_BTD[..., :window], weight))[..., None]


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """Weights of every head and layer."""
    window, dim = settings.gate_window, settings.model_dim
    settings.require(window <= dim, "gate_window", f"at most {dim}, the channels of the branch input")
    name, shape, layers = "blocks.{}.attn.attn_gate_w", (settings.num_heads, window), settings.num_layers
    return [Param(name, shape, "scalar", "control", init=Component(zeros), layers=layers)]


@hookimpl
def attention_outputs(settings: SettingsView) -> Component:
    """After XSA."""
    scale = settings.sparse_attn_gate_scale
    settings.require(scale != 0, "sparse_attn_gate_scale", "another number: at 0 the gate learns nothing")
    return Component(gate_sparsely, window=settings.gate_window, scale=scale)
