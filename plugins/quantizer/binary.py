"""Binary matrices: every weight of a layer is -s or s, in training, scoring and the artifact.

    s = float16(mean |w|) of each group of 128 weights of a row      q = 1 where w >= 0, else -1      W_fwd = s q
    the gradient is that of W;      inputs of the output projections are RMS-normed first

Decoded weights are s q, whose scale and signs are s and q again. (Where a row does not fill its last group, the public script
stored a scale that counts the filling, and scored with a smaller one; here they are the same.) A bit for a weight pays for
half as many weights again as ternary ones, and they learn more slowly.

Source: openai/parameter-golf, non-record 2026-03-24_106M_Binary_Asymmetric_UNet_FP8 (1.1239 BPB in 2.15 hours).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Plugin, Setting, hookimpl
from pgolf.runtime.group_codes import GroupRecipe, norm_outputs, use_codes

if TYPE_CHECKING:
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="binary",
    summary="Layer matrices of -s and s, with a scale for each group of a row.",
    source="openai/parameter-golf, non-record 2026-03-24_106M_Binary_Asymmetric_UNet_FP8",
    family="quantizer",
    effect="106.2 M weights in 15.67 MB: 1.1824 BPB in ten minutes, 1.1239 in 2.15 hours",
    order=60,
    conflicts=(
        Conflict("ema", "an average of binary weights is not binary: +.03 BPB when it is rounded", hard=False),
        Conflict("muon_weight_decay", "scales are made of the weights, which decay only shrinks (1.1570 record)"),
        Conflict("ternary", "both store the matrices of the layers"),
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
    return Component(use_codes, plugin="binary", size=settings.bitnet_group_size, binary=True)


@hookimpl
def matrix_inputs(settings: SettingsView) -> Component:
    """The output projections'."""
    return Component(norm_outputs)


@hookimpl
def tensor_recipes(settings: SettingsView) -> dict[str, Component]:
    """The matrices of the layers."""
    recipe = Component(GroupRecipe, plugin="binary", size=settings.bitnet_group_size, binary=True)
    return {"attn": recipe, "mlp": recipe}
