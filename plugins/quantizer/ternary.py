"""Ternary matrices (BitNet b1.58): every weight of a layer is -s, 0 or s, in training, scoring and the artifact.

    s = float16(mean |w|) of each group of 128 weights of a row      q = clamp(round(w / s), -1, 1)      W_fwd = s q
    the gradient is that of W;      inputs of the output projections are RMS-normed first
    at load W = s q / mean |q|, the shrinkage fix: the forward makes s and q again of what it is given

A trained matrix of zeros, where an output projection starts, has codes 0 until it moves. Codes take 1.6 bits with five in a
byte. Weight averaging mixes codes away, and weight decay has no hold on matrices whose scale is free.

Source: openai/parameter-golf, record 2026-03-24_74M_Ternary_UNet_FP8 (1.1570 BPB); BitNet b1.58, arXiv:2402.17764.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Plugin, Setting, hookimpl
from pgolf.runtime.group_codes import GroupRecipe, norm_outputs, use_codes

if TYPE_CHECKING:
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="ternary",
    summary="Layer matrices of -s, 0 and s, with a scale for each group of a row.",
    source="openai/parameter-golf, record 2026-03-24_74M_Ternary_UNet_FP8; arXiv:2402.17764",
    family="quantizer",
    effect="64.9 M weights in 14.24 MB: 1.1570 BPB with a model of 74 M parameters",
    order=60,
    conflicts=(
        Conflict("ema", "an average of ternary weights is not ternary: +.13 BPB when it is rounded (1.1570 record)"),
        Conflict("muon_weight_decay", "scales are made of the weights, which decay only shrinks (1.1570 record)"),
        Conflict("untied_head", "it cost more than it gave (1.1570 record)", hard=False),
        Conflict("qat", "both change the matrices that the forward uses"),
        Conflict("bank_qat", "both change the matrices that the forward uses"),
        Conflict("soft_round", "both change the matrices that the forward uses"),
        Conflict("noisy_qat", "both change the matrices that the forward uses"),
        Conflict("hadamard_rotation", "the forward makes codes of matrices that are not rotated"),
    ),
    settings=(Setting("bitnet_group_size", 128, "weights of a row that share a scale", minimum=1),),
)


@hookimpl
def weight_taps(settings: SettingsView) -> Component:
    """After any mixing of matrices."""
    return Component(use_codes, plugin="ternary", size=settings.bitnet_group_size, binary=False)


@hookimpl
def matrix_inputs(settings: SettingsView) -> Component:
    """The output projections'."""
    return Component(norm_outputs)


@hookimpl
def tensor_recipes(settings: SettingsView) -> dict[str, Component]:
    """The matrices of the layers."""
    recipe = Component(GroupRecipe, plugin="ternary", size=settings.bitnet_group_size, binary=False)
    return {"attn": recipe, "mlp": recipe}
