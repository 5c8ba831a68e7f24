"""Mixed bits by Hessian trace: the matrices with the largest inputs keep their bits, the others get fewer.

    trace(H) ranks the matrices of the layers; listed layers come first; the first `n_int6_layers` keep their class,
    the rest is stored with `low_bits`

Only matrices of more than 65,536 elements count. The artifact says which tensors are of which class.

Source: openai/parameter-golf#1204, where 32 of 66 matrices have 6 bits and the rest 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.quantize import KEPT_ELEMENTS, nearest_codes, spread_recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from pgolf.contracts.quantizer import Statistics
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="mixed_bits",
    summary="Fewer bits for the matrices whose inputs have the smallest energy.",
    source="openai/parameter-golf#1204",
    family="quantizer",
    effect="an eighth of a byte for each weight of the low class; with ln_scale the ranking is the order of layers",
    requires=("gptq|trellis",),
    settings=(
        Setting("n_int6_layers", 32, "matrices that keep the bits of their class", minimum=0),
        Setting("int6_layers", "", "layers that come first, separated by commas"),
        Setting("low_bits", 5, "bits of the others", minimum=2),
        Setting("low_clip_sigmas", 12.85, "their clip, in standard deviations of the row", minimum=0),
    ),
)


class TracePlan:
    """Quantization plan."""

    def __init__(self, keep: int, first: tuple[int, ...]) -> None:
        self.keep = keep
        self.first = first

    def __call__(self, state: Mapping[str, Tensor], statistics: Statistics, ledger: Ledger) -> dict[str, str]:
        """Class "low" for every large matrix of a layer but the first `keep`."""
        ranks = {
            name: (int(name.split(".")[1]) in self.first, statistics[name]["hessian"].diagonal().sum().item())
            for name, tensor in state.items()
            if name.startswith("blocks.") and name in statistics and tensor.numel() > KEPT_ELEMENTS
        }
        low = sorted(ranks, key=lambda name: ranks[name], reverse=True)[self.keep :]
        ledger.count("mixed_bits", "matrices with fewer bits", len(low))
        return dict.fromkeys(low, "low")


@hookimpl
def quantization_plan(settings: SettingsView) -> Component:
    """Once the statistics are known."""
    try:
        first = tuple(int(part) for part in settings.int6_layers.split(",") if part.strip())
    except ValueError:
        first = (-1,)
    inside = all(0 <= layer < settings.num_layers for layer in first)
    settings.require(inside, "int6_layers", f"layer numbers below {settings.num_layers}, such as 4,5")
    return Component(TracePlan, keep=settings.n_int6_layers, first=first)


@hookimpl
def tensor_recipes(
    settings: SettingsView, rounding: Component | None, clip_taps: tuple[Component, ...]
) -> dict[str, Component]:
    """The class "low"."""
    bits, sigmas = settings.low_bits, settings.low_clip_sigmas
    settings.require(bits <= 8, "low_bits", "2 to 8: codes are stored as int8")
    settings.require(sigmas > 0, "low_clip_sigmas", "more than 0")
    codes = rounding or Component(nearest_codes)
    recipe = spread_recipe(codes, clip_taps, plugin="mixed_bits", bits=bits, sigmas=sigmas)
    return {"low": recipe}
