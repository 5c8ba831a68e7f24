"""Dense attention gate: each head's output is scaled by a sigmoid of the whole branch input.

    g = sigmoid(W n),   W (H, D) ~ N(0, std^2) at start (g about 1/2),   y_h <- g_h y_h

A gate per head commutes with XSA. `gated_attention` is the earlier form with a bias, which starts open.

Source: openai/parameter-golf PR #1736 and PR #1769; arXiv:2505.06708.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from pgolf import Component, Conflict, Param, Plugin, Setting, hookimpl
from pgolf.runtime.parameters import normal

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="dense_attention_gate",
    summary="Sigmoid gate per head on the attention output, from the whole branch input, without a bias.",
    source="openai/parameter-golf#1736",
    family="architecture",
    effect="part of 1.0678 to 1.0655 BPB",
    order=20,
    conflicts=(
        Conflict("gated_attention", "both gate the heads' outputs"),
        Conflict("sparse_attention_gate", "both gate the heads' outputs"),
    ),
    settings=(Setting("gated_attn_init_std", 0.01, "standard deviation of the gate's weights at start", minimum=0),),
)


def gate_densely(
    model: GPT, y_BTHC: Tensor, v_BTKC: Tensor, n_BTD: Tensor, layer: int, position: int, ctx: Context
) -> Tensor:
    """y_BTHC -> gated y_BTHC."""
    ctx.fired("dense_attention_gate", "layers")
    weight = ctx.weights[f"blocks.{layer}.attn.attn_gate_w"].to(n_BTD.dtype)
    return y_BTHC * torch.sigmoid(F.linear(n_BTD, weight))[..., None]


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """Weights of every head and layer."""
    name, shape, layers = "blocks.{}.attn.attn_gate_w", (settings.num_heads, settings.model_dim), settings.num_layers
    start = Component(normal, std=settings.gated_attn_init_std)
    return [Param(name, shape, "scalar", "control", init=start, layers=layers)]


@hookimpl
def attention_outputs(settings: SettingsView) -> Component:
    """After XSA."""
    return Component(gate_densely)
