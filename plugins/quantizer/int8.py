"""int8 rows: the baseline's export.

Matrices of more than 65,536 elements, per row with the 0.9999984 quantile (linear interpolation) of |W| as clip:

    step = max(clip / 127, 1/127)      q = round(clamp(W, -clip, clip) / step)      W' = q * float16(step)

Rounding uses the float32 step, the stored one is float16. Other large tensors have one float32 step, clip / 127 or 1.
Small tensors are kept: in float32 where they are controls (scales, gates, mixes), else in float16.
The 1/127 floor makes the stored size depend on the weights' magnitude; all exporters before #1394 have one.

Source: the baseline script; its quantization gap is about +0.007 BPB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.quantize import KEPT_ELEMENTS, int8_grid, restore_tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import Parts
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="int8",
    summary="int8 per row with a quantile clip; small tensors kept in half or full precision.",
    source="openai/parameter-golf baseline train_gpt.py",
    family="quantizer",
)


class Int8Recipe:
    """Tensor recipe; `half` says whether small tensors are kept in float16, or in float32."""

    name = "int8"

    def __init__(self, half: bool) -> None:
        self.half = half

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Parts:
        """Codes and steps of a large tensor, or a small one as it is."""
        if tensor.numel() <= KEPT_ELEMENTS:
            ledger.count("int8", "tensors kept")
            return {"kept": tensor.half() if self.half else tensor.float()}
        ledger.count("int8", "tensors quantized")
        codes, step = int8_grid(tensor.float())
        return {"codes": codes, "step": step}

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        return restore_tensor(parts, kind)


@hookimpl
def tensor_recipes(settings: SettingsView) -> dict[str, Component]:
    """Every class; plugins that are selected by name take classes over."""
    recipes = {name: Component(Int8Recipe, half=True) for name in ("attn", "mlp", "embed", "aux", "head")}
    return {**recipes, "control": Component(Int8Recipe, half=False)}
