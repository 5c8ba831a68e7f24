"""Noise instead of rounding: weights learn to bear an error of one step while they train.

    W_fwd = clamp(W + (U - 1/2) s, -R s, R s)      U uniform in [0, 1), new in every call      s_i = max(max_j |W_ij|, 1) / R

Uniform noise as wide as a step has the spread of a rounding error, and needs no straight-through gradient: the gradient flows
through s and the clamp as well. It was made for layers that run several times, whose errors add up; a step that is not the
exporter's (`noisy_qat_bits`) prepares for the wrong errors.

Source: openai/parameter-golf#363 (int8, no gradient through s); a fork's train_recur_qat.py (int6, this form).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="noisy_qat",
    summary="Noise of one quantization step on the matrices of some layers while training.",
    source="openai/parameter-golf#363; fork a2_noisy_qat_recur",
    family="quantizer",
    effect="quantization gap of looped int8 layers .37 -> .002 (#363); did not close it for banks (fork)",
    settings=(
        Setting("noisy_qat_bits", 6, "bits of the exporter's codes", minimum=2, below=9),
        Setting("noisy_qat_layers", "", "layers with noise, separated by commas; empty for all"),
    ),
)


def add_noise(weight: Tensor, uniform: Tensor, top: int) -> Tensor:
    """A (rows, columns) matrix with noise as wide as the step of each row."""
    step = (weight.abs().amax(1, keepdim=True) / top).clamp_min(1 / top)
    return torch.clamp(weight + (uniform - 0.5) * step, -top * step, top * step)


def noisy(
    model: GPT, weight: Tensor, role: str, layer: int, position: int, ctx: Context, top: int, layers: tuple[int, ...]
) -> Tensor:
    """Noise in training, in the float32 that the optimizer sees."""
    if not role.startswith(("attn.", "mlp.")) or not ctx.training or layer not in layers:
        return weight
    ctx.fired("noisy_qat", "matrices")
    return add_noise(weight.float(), torch.rand_like(weight, dtype=torch.float32), top).to(weight.dtype)


@hookimpl
def weight_taps(settings: SettingsView) -> Component:
    """Scoring and calibration see the plain weights."""
    try:
        layers = tuple(int(part) for part in settings.noisy_qat_layers.split(",") if part.strip())
    except ValueError:
        layers = (-1,)
    inside = all(0 <= layer < settings.num_layers for layer in layers)
    settings.require(inside, "noisy_qat_layers", f"layer numbers below {settings.num_layers}, such as 4,5")
    every = tuple(range(settings.num_layers))
    return Component(noisy, top=2 ** (settings.noisy_qat_bits - 1) - 1, layers=layers or every)
