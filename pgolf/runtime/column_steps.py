"""Steps for columns as well as rows: a code costs as much error whatever its column.

    1 / U_tt^2 is what is left of column t once those after it are known, U the upper factor of H^-1, columns in their order
    step_it = r_i c_t      c_t ~ U_tt, in quarter octaves, with a geometric mean of about one

With feedback the error of a row is sum_t (step_it / U_tt)^2 / 12. One step for all columns gives the arithmetic mean of the
1 / U_tt^2; at equal entropy these steps give the geometric one. How much less that is depends on the inputs: 0.3 to 0.9 dB
in a model of 512 columns (0.15 to 0.3 against columns ordered as gptq does), 8 in a small one with few batches.

Source: reverse water-filling (Cover and Thomas, 10.3.3) for the successive errors of Frantar et al., arXiv:2210.17323.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from pgolf.runtime.quantize import KEPT_ELEMENTS, damped_hessian

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import Parts
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.quantize import SpreadRecipe

MIDDLE = 128
PER_OCTAVE = 4


def column_exponents(hessian: Tensor, damp: float) -> Tensor:
    """uint8 (columns,) of a Hessian; all the same where it has no Cholesky factor."""
    damped = damped_hessian(hessian.double(), damp)[0].flip(0, 1)
    lower, failed = torch.linalg.cholesky_ex(damped)
    pivots = torch.where(failed > 0, torch.ones_like(lower[0]), lower.diagonal().flip(0))
    octaves = -pivots.log2()
    return (MIDDLE + PER_OCTAVE * (octaves - octaves.mean())).round().clamp(0, 255).to(torch.uint8)


def column_scales(exponents: Tensor) -> Tensor:
    """c (columns,), float32."""
    return torch.exp2((exponents.float() - MIDDLE) / PER_OCTAVE)


class ColumnRecipe:
    """Tensor recipe around another: large matrices with a Hessian get part "columns", and the other recipe the rest.

    The other one sees W / c and c H c, and "order" among the statistics: columns are to be rounded as they come.
    """

    def __init__(self, inner: SpreadRecipe, damp: float) -> None:
        self.inner = inner
        self.damp = damp
        self.name = inner.name

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Parts:
        """Parts of the other recipe, with the exponents of columns."""
        if tensor.ndim != 2 or tensor.numel() <= KEPT_ELEMENTS or "hessian" not in statistics:
            return self.inner.encode(name, tensor, statistics, ledger)
        return self.encode_group([name], [tensor], [statistics], ledger)[0]

    def encode_group(
        self, names: list[str], tensors: list[Tensor], statistics: list[Mapping[str, Tensor]], ledger: Ledger
    ) -> list[Parts]:
        """`encode` of large matrices of one shape together."""
        exponents = [column_exponents(known["hessian"], self.damp) for known in statistics]
        scaled, changed = [], []
        for tensor, known, own in zip(tensors, statistics, exponents, strict=True):
            scale = column_scales(own)
            hessian = known["hessian"] * scale * scale[:, None]
            order = torch.arange(len(scale), device=scale.device)
            scaled.append(tensor.float() / scale)
            changed.append({**known, "hessian": hessian, "order": order})
        inner: Any = self.inner
        found: list[Parts] = inner.encode_group(names, scaled, changed, ledger)
        return [{**parts, "columns": own} for parts, own in zip(found, exponents, strict=True)]

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        if "columns" not in parts:
            return self.inner.decode(name, parts, kind)
        return (self.inner.decode(name, parts, torch.float32) * column_scales(parts["columns"])).to(kind)
