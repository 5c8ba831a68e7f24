"""A number of bits for each class, by the largest magnitude of each row and without a floor.

    step_i = float16(max_j |W_ij| / R)        q_ij = clamp(round(W_ij / step_i), -R - 1, R)        R = 2^(bits-1) - 1

Five bits for the MLP and six for the rest paid for a tenth layer and a larger bigram table. The step is at least the smallest
normal number of float16, so that rows of zeros stay zeros; with it and round-to-nearest the code -R - 1 does not occur.

Record 2026-03-20 kept 8,192 elements at most in float16 (row_max_kept), small control tensors among them, and larger
control tensors in float32 (row_max_controls); kept names go before the class (fp16_keep), and the rest is int8.

Source: openai/parameter-golf#162 (six bits), record 2026-03-20_10L_Int5MLP_MuonWD04_SWA50 (five for the MLP).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.quantize import KEPT_ELEMENTS, per_row, restore_tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import Parts
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="row_max",
    summary="Bits for each class of matrices, steps by the largest magnitude of a row.",
    source="openai/parameter-golf#162, record 2026-03-20_10L_Int5MLP_MuonWD04_SWA50",
    family="quantizer",
    effect="five bits for the MLP save 1.86 MB, a tenth layer: 1.1458 -> 1.1428 BPB together",
    replaces=("int6",),
    settings=(
        Setting("row_max_bits", "attn:6,mlp:5,aux:6", "CLASS:BITS, separated by commas; 2 to 8 bits"),
        Setting("row_max_kept", KEPT_ELEMENTS, "elements of a tensor that stays in float16, at most", minimum=0),
        Setting("row_max_controls", False, "small control tensors are kept in float16 as well"),
    ),
)


class RowMax:
    """Tensor recipe; tensors of at most `kept` elements are kept in float16."""

    def __init__(self, bits: int, kept: int) -> None:
        self.name = f"int{bits}"
        self.kept = kept
        self.top = 2 ** (bits - 1) - 1

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Parts:
        """Codes and steps of a large tensor, or a small one as it is."""
        if tensor.numel() <= self.kept:
            ledger.count("row_max", "tensors kept")
            return {"kept": tensor.half()}
        ledger.count("row_max", "tensors quantized")
        weight = tensor.float()
        codes, step = row_grid(weight, self.top)
        return {"codes": codes, "step": step}

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        return restore_tensor(parts, kind)


class KeptControls:
    """Tensor recipe of control tensors: float16 up to `kept` elements, else float32."""

    name = "kept"

    def __init__(self, kept: int) -> None:
        self.kept = kept

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Parts:
        """The tensor itself."""
        return {"kept": tensor.half() if tensor.numel() <= self.kept else tensor.float()}

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        return parts["kept"].to(kind)


def row_grid(weight: Tensor, top: int) -> tuple[Tensor, Tensor]:
    """int8 codes and float16 steps of a float32 tensor: a step for each row of a matrix, one for anything else."""
    largest = weight.abs().amax(1) if weight.ndim == 2 else weight.abs().amax()
    step = (largest / top).half().clamp_min(torch.finfo(torch.float16).tiny)
    codes = (weight / per_row(step.float())).round().clamp(-top - 1, top)
    return codes.to(torch.int8), step


@hookimpl
def tensor_recipes(settings: SettingsView) -> dict[str, Component]:
    """The classes of `row_max_bits`."""
    kept = settings.row_max_kept
    recipes = {"control": Component(KeptControls, kept=kept)} if settings.row_max_controls else {}
    for part in settings.row_max_bits.split(","):
        quant, _, bits = (word.strip() for word in part.partition(":"))
        settings.require(bits in tuple("2345678"), "row_max_bits", "such as attn:6,mlp:5, with 2 to 8 bits each")
        recipes[quant] = Component(RowMax, bits=int(bits), kept=kept)
    return recipes
