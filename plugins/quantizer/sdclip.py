"""Clip by standard deviation: the step of a row is a fixed multiple of its spread, whatever its largest weight is.

    step_i = float16(k * std(W_i) / R)        q_ij = clamp(round(W_ij / step_i), -R, R)        R = 2^(bits-1) - 1

k is the one knob between size and quality: a code costs about `bits - log2(k) + 1.7` bits once it is entropy coded, so the
size is known before it is measured. With k far above 4 hardly any weight is clipped; the grid is coarse on purpose.

The embedding, attention and MLP classes have bits and k of their own. Codes are rounded to the nearest, or as the
selected `rounding` says (gptq).

Source: openai/parameter-golf#1394; a k for each class in #1626, 7-bit embeddings in #1855.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.quantize import nearest_codes, spread_recipe

if TYPE_CHECKING:
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="sdclip",
    summary="Steps from each row's standard deviation, with bits and clip for each class.",
    source="openai/parameter-golf#1394, #1626",
    family="quantizer",
    effect="part of 1.0979 -> 1.0856 BPB; makes the size predictable",
    replaces=("int6",),
    settings=(
        Setting("matrix_bits", 6, "bits of a code of the matrices", minimum=2),
        Setting("matrix_clip_sigmas", 12.85, "clip of the matrices, in standard deviations of the row", minimum=0),
        Setting("attn_clip_sigmas", 0.0, "the same for attention; 0 takes matrix_clip_sigmas", minimum=0),
        Setting("mlp_clip_sigmas", 0.0, "the same for the MLP; 0 takes matrix_clip_sigmas", minimum=0),
        Setting("embed_bits", 8, "bits of a code of the embedding", minimum=2),
        Setting("embed_clip_sigmas", 20.0, "clip of the embedding, in standard deviations of the row", minimum=0),
        Setting("sdclip_classes", "attn,embed,mlp", "quantization classes it takes, separated by commas"),
    ),
)
GRIDS = {
    "attn": ("matrix_bits", "attn_clip_sigmas"),
    "embed": ("embed_bits", "embed_clip_sigmas"),
    "mlp": ("matrix_bits", "mlp_clip_sigmas"),
}


def grid(settings: SettingsView, quant: str) -> tuple[int, float]:
    """(bits, sigmas) of a class; PgolfError for what cannot be."""
    values = settings.as_dict()
    bits_name, sigmas_name = GRIDS.get(quant, ("matrix_bits", "matrix_clip_sigmas"))
    sigmas = values[sigmas_name] or settings.matrix_clip_sigmas
    settings.require(values[bits_name] <= 8, bits_name, "2 to 8: codes are stored as int8")
    settings.require(sigmas > 0, "matrix_clip_sigmas", "more than 0; public scripts take 10 to 20")
    return values[bits_name], sigmas


@hookimpl
def tensor_recipes(
    settings: SettingsView, rounding: Component | None, clip_taps: tuple[Component, ...]
) -> dict[str, Component]:
    """The classes of `sdclip_classes`."""
    recipes = {}
    for quant in (name.strip() for name in settings.sdclip_classes.split(",")):
        bits, sigmas = grid(settings, quant)
        codes = rounding or Component(nearest_codes)
        recipes[quant] = spread_recipe(codes, clip_taps, plugin="sdclip", bits=bits, sigmas=sigmas)
    return recipes
