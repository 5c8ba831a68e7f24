"""Quantization-aware training on the grid of the first SmearGate record: int6 by the quantile of each row, straight through.

Source: openai/parameter-golf, record 2026-03-19_SmearGate_OrthoInit_MuonWD.
"""

import torch

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="quantile_grid",
    summary="Every linear matrix but the head on 63 steps within a quantile of its row.",
    source="openai/parameter-golf, record 2026-03-19_SmearGate_OrthoInit_MuonWD",
    family="quantizer",
)


def on_grid(model, weight, role, layer, position, ctx):
    """(out, in) -> (out, in)."""
    if role == "head" or not ctx.training:
        return weight
    ctx.fired("quantile_grid", "matrices")
    kept = weight.detach()
    clip = torch.quantile(kept.abs(), 0.9999984, dim=1, keepdim=True)
    step = (clip / 31).clamp_min(1e-8)
    return weight + (torch.round(kept.clamp(-clip, clip) / step) * step - kept)


@hookimpl
def weight_taps(settings) -> Component:
    """Before the matrix is used."""
    return Component(on_grid)
