"""Coarse int8 codes: int8 as in the baseline, rounded to multiples of a step in some layers, so that they compress better.

    Q = the baseline's int8 codes;  |Q| <= floor(127 * prune_ratio) becomes 0, in every matrix;
    in the listed layers Q <- clamp(step * round(Q / step), -127, 127)

With a step of 4 the codes take 65 values, as many as six bits have, and are still stored as bytes: nothing that reads them
changes, and zlib saves about a quarter. (The public setting is called INT4_STEP; there are no four bits in it.)

Source: openai/parameter-golf, record 2026-03-19_10L_MixedPrecision (1.2147 BPB).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.parameters import matrix_role
from pgolf.runtime.quantize import KEPT_ELEMENTS, int8_grid, restore_tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import Parts
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="coarse_int8",
    summary="int8 codes of some layers rounded to multiples of a step.",
    source="openai/parameter-golf, record 2026-03-19_10L_MixedPrecision",
    family="quantizer",
    effect="about a quarter fewer bytes under zlib; pays for a tenth layer, 1.2147 BPB together",
    settings=(
        Setting("int4_layers", "3,4,5,6", "layers with coarse codes, separated by commas; empty for all"),
        Setting("int4_step", 4, "what their codes are multiples of", minimum=1, below=128),
        Setting("prune_ratio", 0.0, "codes of at most this share of 127 become 0", minimum=0.0, below=1.0),
    ),
)


class CoarseInt8:
    """Tensor recipe; tensors of at most 65,536 elements are kept in float16."""

    name = "int8"

    def __init__(self, layers: tuple[int, ...], step: int, dead: int) -> None:
        self.layers = layers
        self.step = step
        self.dead = dead

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Parts:
        """Codes and steps of a large tensor, or a small one as it is."""
        if tensor.numel() <= KEPT_ELEMENTS:
            ledger.count("coarse_int8", "tensors kept")
            return {"kept": tensor.half()}
        codes, step = int8_grid(tensor.float())
        return {"codes": self.coarsen(name, codes, ledger), "step": step}

    def coarsen(self, name: str, codes: Tensor, ledger: Ledger) -> Tensor:
        """int8 codes of the tensor `name`, shaped like `codes`."""
        if self.dead:
            codes = codes.masked_fill(codes.abs() <= self.dead, 0)
        role, layer = matrix_role(name, "")
        if not role or layer not in self.layers:
            ledger.count("coarse_int8", "fine tensors")
            return codes
        ledger.count("coarse_int8", "coarse tensors")
        # Half to even, as in float: a code of int8 over a power of two is exact.
        rounded = (codes.float() / self.step).round() * self.step
        return rounded.clamp(-127, 127).to(codes.dtype)

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        return restore_tensor(parts, kind)


@hookimpl
def tensor_recipes(settings: SettingsView) -> dict[str, Component]:
    """Every class but "control", whose tensors are small."""
    try:
        layers = tuple(int(part) for part in settings.int4_layers.split(",") if part.strip())
    except ValueError:
        layers = (-1,)
    inside = all(0 <= layer < settings.num_layers for layer in layers)
    settings.require(inside, "int4_layers", f"layer numbers below {settings.num_layers}, such as 1,2")
    recipe = Component(
        CoarseInt8,
        layers=layers or tuple(range(settings.num_layers)),
        step=settings.int4_step,
        dead=int(127 * settings.prune_ratio),
    )
    return dict.fromkeys(("attn", "aux", "embed", "head", "mlp"), recipe)
