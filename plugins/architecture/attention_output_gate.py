"""Attention output gate: each head's output is scaled by twice a sigmoid of a few channels, so that it starts open.

    g = 2 sigmoid(W u[:gate_window]),   W (H, gate_window) = 0 at start (g = 1),   y_h <- g_h y_h

u is the branch input, or with attn_out_gate_src="q" the query projection as it leaves its matrix: before heads, norm and
rotation, an adapter's share included. A gate per head commutes with XSA.

Source: openai/parameter-golf PR #1667.
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
    name="attention_output_gate",
    summary="Gate per head on the attention output, open at start, from a few channels.",
    source="openai/parameter-golf#1667",
    family="architecture",
    effect="-0.0005 BPB together with smear_gate_v3, 1.5 % more time a step",
    order=20,
    conflicts=tuple(
        Conflict(other, "both gate the heads' outputs")
        for other in ("dense_attention_gate", "gated_attention", "sparse_attention_gate")
    ),
    settings=(
        Setting("gate_window", 12, "first channels that a gate reads", minimum=1),
        Setting("attn_out_gate_src", "proj", "what the gate reads: the branch input or queries", choices=("proj", "q")),
    ),
)


class OutputGate:
    """y_BTHC -> gated y_BTHC."""

    def __init__(self, window: int, from_queries: bool) -> None:
        self.window = window
        self.from_queries = from_queries

    def __call__(
        self, model: GPT, y_BTHC: Tensor, v_BTKC: Tensor, n_BTD: Tensor, layer: int, position: int, ctx: Context
    ) -> Tensor:
        ctx.fired("attention_output_gate", "layers")
        u = n_BTD
        if self.from_queries:
            # The compiler finds this product in the graph already; calibration must not count it twice.
            u = model.project(n_BTD, "attn.c_q", layer, position, ctx._replace(observe=None))
        weight = ctx.weights[f"blocks.{layer}.attn.attn_gate_proj.weight"].to(u.dtype)
        return y_BTHC * (2 * torch.sigmoid(F.linear(u[..., : self.window], weight)))[..., None]


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """Weights of every head and layer."""
    window, dim = settings.gate_window, settings.model_dim
    settings.require(window <= dim, "gate_window", f"at most {dim}, the channels that there are")
    name, shape = "blocks.{}.attn.attn_gate_proj.weight", (settings.num_heads, window)
    return [Param(name, shape, "scalar", "control", init=Component(zeros), layers=settings.num_layers)]


@hookimpl
def attention_outputs(settings: SettingsView) -> Component:
    """After XSA."""
    return Component(OutputGate, window=settings.gate_window, from_queries=settings.attn_out_gate_src == "q")
