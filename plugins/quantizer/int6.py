"""int6 rows with the largest magnitude as clip, or nearly the largest.

    step = float16(max(max_j |W_ij| / 31, 1/31))      q = round(W / step) in [-31, 31], as int8      W' = q * step

With int6_clip = "quantile" the clip is the 0.9999984 quantile of |W_i|, linearly interpolated, and rounding uses the step
before it is float16: int8's grid, with 31 for 127. In a row of 512 the clip is a thousandth of the way from the largest weight
to the next.

Two bits fewer than the baseline's int8 pay for an MLP three times as wide. The 1/31 floor is the public exporters' of
that era: most rows trained with weight decay fall under it and share one step.

Source: openai/parameter-golf#287 and its line; without the floor in #162 (row_max). The quantile: record
2026-03-19_MixedQuant_Int6Int8_SlidingWindow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.quantize import KEPT_ELEMENTS, int6_grid, int8_grid, restore_tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import Parts
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="int6",
    summary="int6 per row for the large matrices, by their largest magnitude.",
    source="openai/parameter-golf#287, #162",
    family="quantizer",
    effect="room for a 3x MLP: 1.2147 -> 1.163 BPB together",
    settings=(
        Setting("int6_classes", "attn,mlp", "quantization classes stored as int6, separated by commas"),
        Setting("int6_clip", "row_max", "what the largest code stands for", choices=("row_max", "quantile")),
    ),
)


class Int6Recipe:
    """Tensor recipe; tensors of at most 65,536 elements are kept in float16."""

    name = "int6"

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Parts:
        """Codes and steps of a large tensor, or a small one as it is."""
        if tensor.numel() <= KEPT_ELEMENTS:
            ledger.count("int6", "tensors kept")
            return {"kept": tensor.half()}
        ledger.count("int6", "tensors quantized")
        codes, step = self.grid(tensor.float())
        return {"codes": codes, "step": step}

    def grid(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """int8 codes of a float32 tensor, and the step that is stored."""
        return int6_grid(weight, half=True)

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        return restore_tensor(parts, kind)


class QuantileInt6(Int6Recipe):
    """The same with the quantile as clip."""

    def grid(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """int8 codes of a float32 tensor, and the step that is stored."""
        return int8_grid(weight, 31)


@hookimpl
def tensor_recipes(settings: SettingsView) -> dict[str, Component]:
    """The classes of `int6_classes`."""
    recipe = Component(QuantileInt6 if settings.int6_clip == "quantile" else Int6Recipe)
    return {name.strip(): recipe for name in settings.int6_classes.split(",")}
