"""More bits for chosen matrices: those whose names hold one of the given patterns get a grid of their own.

    step_i = float16(k * std(W_i) / R),  R = 2^(bits-1) - 1, for these; the others stay with their class

One more bit at the same k costs an eighth of a byte for every weight, sixteen kilobytes for the smallest matrix of a model of
width 512; more than a submission usually has left.

Source: experiments of a fork of openai/parameter-golf#1493 (promotion of single tensors; not in a record).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.parameters import canonical_tensors
from pgolf.runtime.quantize import KEPT_ELEMENTS, SpreadRecipe, nearest_codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from pgolf.contracts.quantizer import Statistics
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.session import Session
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


class Promotion:
    """Quantization plan: class "high" for every large matrix whose name holds one of `patterns`."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self.patterns = patterns

    def prepare(self, session: Session) -> None:
        """ValueError for a pattern that fits no tensor, before training."""
        names = [name for name, _, _ in canonical_tensors(session.parameters)]
        for pattern in self.patterns:
            if not any(pattern in name for name in names):
                raise ValueError(f"promote_name_patterns: {pattern!r} is in no tensor's name, such as {names[0]}")

    def __call__(self, state: Mapping[str, Tensor], statistics: Statistics, ledger: Ledger) -> dict[str, str]:
        """canonical name -> "high"."""
        found = [
            name
            for name, tensor in state.items()
            if tensor.ndim == 2 and tensor.numel() > KEPT_ELEMENTS and any(part in name for part in self.patterns)
        ]
        ledger.count("promote", "matrices", len(found))
        return dict.fromkeys(found, "high")


@hookimpl
def quantization_plan(settings: SettingsView) -> Component:
    """After plans that look at statistics."""
    patterns = tuple(part.strip() for part in settings.promote_name_patterns.split(",") if part.strip())
    settings.require(bool(patterns), "promote_name_patterns", "at least one part of a name, such as blocks.0.mlp")
    return Component(Promotion, patterns=patterns)


@hookimpl
def tensor_recipes(
    settings: SettingsView, rounding: Component | None, clip_taps: tuple[Component, ...]
) -> dict[str, Component]:
    """The class "high"."""
    bits, sigmas = settings.promote_bits, settings.promote_clip_sigmas
    settings.require(sigmas > 0, "promote_clip_sigmas", "more than 0")
    codes = rounding or Component(nearest_codes)
    recipe = Component(SpreadRecipe, plugin="promote", bits=bits, sigmas=sigmas, taps=clip_taps, rounding=codes)
    return {"high": recipe}
