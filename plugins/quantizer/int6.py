"""int6 rows with the largest magnitude as clip.

    step = float16(max(max_j |W_ij| / 31, 1/31))      q = round(W / step) in [-31, 31], as int8      W' = q * step

Two bits fewer than the baseline's int8 pay for an MLP three times as wide. The 1/31 floor is the public exporters' of
that era: most rows trained with weight decay fall under it and share one step.

Source: openai/parameter-golf#287 and its line; without the floor in #162.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.quantize import KEPT_ELEMENTS, int6_grid, restore_tensor

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
    settings=(Setting("int6_classes", "attn,mlp", "quantization classes stored as int6, separated by commas"),),
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
        codes, step = int6_grid(tensor.float(), half=True)
        return {"codes": codes, "step": step}

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        return restore_tensor(parts, kind)


@hookimpl
def tensor_recipes(settings: SettingsView) -> dict[str, Component]:
    """The classes of `int6_classes`."""
    return {name.strip(): Component(Int6Recipe) for name in settings.int6_classes.split(",")}
