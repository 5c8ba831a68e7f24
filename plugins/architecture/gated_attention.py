"""Dense attention gate with a bias: each head's output is scaled by a sigmoid of the whole branch input.

    g = sigmoid(W n + b),   W (H, D) = 0 and b = 4 at start (g = .98),   y_h <- g_h y_h

A gate per head commutes with XSA.

Source: openai/parameter-golf PR #549 and PR #1019 (flag GATED_ATTENTION, off in the records).
"""

import torch
import torch.nn.functional as F

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.parameters import constant, zeros

PLUGIN = Plugin(
    name="gated_attention",
    summary="Sigmoid gate per head on the attention output, from the whole branch input.",
    source="openai/parameter-golf#549",
    family="architecture",
    order=20,
)


def gate_heads(model, y_BTHC, v_BTKC, n_BTD, layer, position, ctx):
    """y_BTHC -> gated y_BTHC."""
    ctx.fired("gated_attention", "layers")
    gate = model.blocks[layer].attn.attn_gate
    scores = F.linear(n_BTD, gate.weight.to(n_BTD.dtype), gate.bias.to(n_BTD.dtype))
    return y_BTHC * torch.sigmoid(scores)[..., None]


@hookimpl
def parameters(settings) -> list[Param]:
    """Weight and bias per layer."""
    layers, name = settings.num_layers, "blocks.{}.attn.attn_gate."
    shape = (settings.num_heads, settings.model_dim)
    return [
        Param(name + "weight", shape, "scalar", "control", init=Component(zeros), layers=layers),
        Param(name + "bias", shape[:1], "scalar", "control", init=Component(constant, value=4.0), layers=layers),
    ]


@hookimpl
def attention_outputs(settings) -> Component:
    """After XSA."""
    return Component(gate_heads)
