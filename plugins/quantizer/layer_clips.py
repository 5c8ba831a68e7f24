"""Clips, and bits, of layers by their depth: before the loop, in it, and the two halves of what follows.

    early 0 .. loop_start - 1      loop loop_start .. loop_end      mid, late  the rest, mid not the smaller
    step_i = float16(m k std(W_i) / R),  R = 2^(bits-1) - 1      m  multiplier of the part, k and bits of the class

In the loop `loop_layer_bits` and `loop_layer_clip_sigmas` are in place of the class's. Without a loop there are three thirds. A
part whose numbers are those of sdclip stays with it. (The script's own borders between mid and late are not known: its logs
have multipliers of 1 alone.)

Source: openai/parameter-golf#1412 (CLIP_MULT_EARLY, _LOOP, _MID, _LATE, LOOP_LAYER_BITS, LOOP_LAYER_CLIP_SIGMAS).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.parameters import matrix_role
from pgolf.runtime.quantize import KEPT_ELEMENTS, nearest_codes, spread_recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from pgolf.contracts.quantizer import Statistics
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PARTS = ("early", "loop", "mid", "late")
PLUGIN = Plugin(
    name="layer_clips",
    summary="Clips and bits for layers by depth: before, in and after the loop.",
    source="openai/parameter-golf#1412",
    family="quantizer",
    effect="not measured: the record's logs have it off",
    requires=("sdclip",),
    settings=(
        *(
            Setting(f"clip_mult_{part}", 1.0, f"what clips are multiplied by, {part} layers", minimum=0)
            for part in PARTS
        ),
        Setting("loop_layer_bits", 0, "bits of a code in looped layers; 0 takes matrix_bits", minimum=0, below=9),
        Setting("loop_layer_clip_sigmas", 0.0, "clip in looped layers; 0 takes the class's", minimum=0),
    ),
)


class DepthPlan:
    """Quantization plan; `parts` are those of the layers in order, `classes` such as "attn_loop" those that there are."""

    def __init__(self, parts: tuple[str, ...], classes: tuple[str, ...]) -> None:
        self.parts = parts
        self.classes = classes

    def __call__(self, state: Mapping[str, Tensor], statistics: Statistics, ledger: Ledger) -> dict[str, str]:
        """The classes of large matrices."""
        found = {}
        for name, tensor in state.items():
            role, layer = matrix_role(name, "")
            quant = role.split(".")[0] + "_" + self.parts[layer]
            if tensor.numel() > KEPT_ELEMENTS and quant in self.classes:
                found[name] = quant
        ledger.count("layer_clips", "matrices", len(found))
        return found


def parts_of(settings: SettingsView) -> list[str]:
    """The part of every layer."""
    values, layers = settings.as_dict(), settings.num_layers
    first, last = values.get("loop_start", layers // 3), values.get("loop_end", layers // 3 - 1)
    middle = last + 1 + (layers - last) // 2
    ends = ((first, "early"), (last + 1, "loop"), (middle, "mid"), (layers, "late"))
    return [next(part for end, part in ends if layer < end) for layer in range(layers)]


def grids(settings: SettingsView) -> dict[str, tuple[int, float]]:
    """Class such as "attn_loop" -> (bits, sigmas), of parts whose numbers are not sdclip's."""
    values, found = settings.as_dict(), {}
    for quant in ("attn", "mlp"):
        own = values[f"{quant}_clip_sigmas"] or values["matrix_clip_sigmas"]
        for part in PARTS:
            looped, factor = part == "loop", values[f"clip_mult_{part}"]
            settings.require(factor > 0, f"clip_mult_{part}", "more than 0, such as 1.1")
            settings.require(values["loop_layer_bits"] != 1, "loop_layer_bits", "2 to 8, or 0 for matrix_bits")
            bits = (looped and values["loop_layer_bits"]) or values["matrix_bits"]
            sigmas = factor * ((looped and values["loop_layer_clip_sigmas"]) or own)
            if (bits, sigmas) != (values["matrix_bits"], own) and part in parts_of(settings):
                found[f"{quant}_{part}"] = (bits, sigmas)
    return found


@hookimpl
def quantization_plan(settings: SettingsView) -> Component:
    """By the numbers of layers alone."""
    found = tuple(grids(settings))
    settings.require(bool(found), "clip_mult_early", "another number here, or in a setting beside it: nothing changes")
    return Component(DepthPlan, parts=tuple(parts_of(settings)), classes=found)


@hookimpl
def tensor_recipes(
    settings: SettingsView, rounding: Component | None, clip_taps: tuple[Component, ...]
) -> dict[str, Component]:
    """A class for each part that differs."""
    codes = rounding or Component(nearest_codes)
    return {
        quant: spread_recipe(codes, clip_taps, plugin="layer_clips", bits=bits, sigmas=sigmas)
        for quant, (bits, sigmas) in grids(settings).items()
    }
