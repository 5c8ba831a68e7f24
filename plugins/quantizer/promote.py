"""More bits for chosen matrices: those whose names hold one of the given patterns get a grid of their own.

    step_i = float16(k * std(W_i) / R),  R = 2^(bits-1) - 1, for these; the others stay with their class

One more bit at the same k costs an eighth of a byte for every weight, sixteen kilobytes for the smallest matrix of a model of
width 512; more than a submission usually has left.

Source: experiments of a fork of openai/parameter-golf#1493 (promotion of single tensors; not in a record).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.name_plan import NamePlan
from pgolf.runtime.quantize import nearest_codes, spread_recipe

if TYPE_CHECKING:
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="promote",
    summary="Matrices whose names match a pattern get bits and clip of their own.",
    source="openai/parameter-golf#1493 (fork)",
    family="quantizer",
    order=80,
    requires=("sdclip",),
    settings=(
        Setting("promote_name_patterns", "mlp.proj", "parts of names, separated by commas, such as blocks.0.mlp.proj"),
        Setting("promote_bits", 7, "bits of a code of theirs", minimum=2, below=9),
        Setting("promote_clip_sigmas", 12.85, "their clip, in standard deviations of the row", minimum=0),
    ),
)


@hookimpl
def quantization_plan(settings: SettingsView) -> Component:
    """After plans that look at statistics."""
    patterns = tuple(part.strip() for part in settings.promote_name_patterns.split(",") if part.strip())
    settings.require(bool(patterns), "promote_name_patterns", "at least one part of a name, such as blocks.0.mlp")
    named = {"plugin": "promote", "setting": "promote_name_patterns", "patterns": patterns}
    return Component(NamePlan, **named, quant="high", large=True)


@hookimpl
def tensor_recipes(
    settings: SettingsView, rounding: Component | None, clip_taps: tuple[Component, ...]
) -> dict[str, Component]:
    """The class "high"."""
    bits, sigmas = settings.promote_bits, settings.promote_clip_sigmas
    settings.require(sigmas > 0, "promote_clip_sigmas", "more than 0")
    codes = rounding or Component(nearest_codes)
    recipe = spread_recipe(codes, clip_taps, plugin="promote", bits=bits, sigmas=sigmas)
    return {"high": recipe}
