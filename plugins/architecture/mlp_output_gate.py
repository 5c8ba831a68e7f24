"""MLP output gate: groups of channels of the MLP's output are scaled by twice a sigmoid of a few channels of its input.

    g = 2 sigmoid(W n[:gate_window]),   W (H, gate_window) = 0 at start (g = 1),   group h of D/H channels times g_h

There are as many groups as heads. What an adapter adds to the MLP is not gated.

Source: openai/parameter-golf PR #1667 (flag GATE_MLP_OUT, off in the record).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from pgolf import Component, Param, Plugin, Setting, hookimpl
from pgolf.runtime.parameters import zeros

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="mlp_output_gate",
    summary="Gate on groups of the MLP's output, open at start, from a few channels of its input.",
    source="openai/parameter-golf#1667",
    family="architecture",
    settings=(Setting("gate_window", 12, "first channels that a gate reads", minimum=1),),
)


class MlpGate:
    """y_BTD -> gated y_BTD."""

    def __init__(self, window: int) -> None:
        self.window = window

    def __call__(self, model: GPT, y_BTD: Tensor, n_BTD: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
        ctx.fired("mlp_output_gate", "layers")
        weight = ctx.weights[f"blocks.{layer}.mlp.mlp_gate_proj.weight"].to(n_BTD.dtype)
        gate = 2 * torch.sigmoid(F.linear(n_BTD[..., : self.window], weight))
        return (torch.unflatten(y_BTD, 2, (weight.size(0), -1)) * gate[..., None]).flatten(2)


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """Weights of every group and layer."""
    window, dim = settings.gate_window, settings.model_dim
    settings.require(window <= dim, "gate_window", f"at most {dim}, the channels that there are")
    name, shape = "blocks.{}.mlp.mlp_gate_proj.weight", (settings.num_heads, window)
    return [Param(name, shape, "scalar", "control", init=Component(zeros), layers=settings.num_layers)]


@hookimpl
def mlp_outputs(settings: SettingsView) -> Component:
    """Every layer."""
    return Component(MlpGate, window=settings.gate_window)
