"""Trellis-coded codes: two interleaved grids, and a state that says which of them the next code of a row is on.

    state 0 at the first column of every row; columns ascending; grid g = state & 1
    g = 0: value k      g = 1: value k - sign(k) / 2      weight = value * step      next state by (state, k & 1)

Both grids together have half the spacing of each, and a code costs what one of the coarser grid does: the path through the
states says for nothing which half is meant. k has about the spread that a plain code at the same step has.

The states are those of a systematic feedback encoder with the parity-check polynomials of Ungerboeck's codes in one dimension;
with 4 and 8 states it is as good as the tables of VVC, and there are larger ones.

Source: Marcellin and Fischer, IEEE Trans. Commun. 38 (1990); Ungerboeck, IEEE Trans. Inf. Theory 28 (1982), table I; dependent
quantization of ITU-T H.266 and ISO/IEC 15938-17.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from pgolf.runtime.quantize import KEPT_ELEMENTS, SpreadRecipe, per_row, restore_tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import Parts
    from pgolf.runtime.ledger import Ledger

# states -> (h0, h1), bit i is the coefficient of the delay i.
POLYNOMIALS = {4: (0o5, 0o2), 8: (0o13, 0o4), 16: (0o23, 0o4), 32: (0o45, 0o10)}


def next_states(states: int) -> Tensor:
    """(states, 2) int64: the state after a code of even and of odd parity.

    The register moves down by one place; where it was odd h0 is added to it, and h1 where the code is odd.
    """
    feedback, forward = POLYNOMIALS[states]
    rows = [
        [state >> 1 ^ (state & 1) * (feedback >> 1) ^ odd * (forward >> 1) for odd in (0, 1)] for state in range(states)
    ]
    return torch.tensor(rows)


def second_grid(codes: Tensor, states: int) -> Tensor:
    """uint8 (rows, columns), 1 where an integer code of that shape is on the second grid: bit 0 of its state.

    By the parity checks, which say it without the states: exact on every device, a few operations for each column.
    """
    feedback, forward = POLYNOMIALS[states]
    odd = (codes & 1).to(torch.uint8).T.contiguous()
    found = torch.zeros_like(odd)
    for column in range(1, len(odd)):
        for delay in range(1, min(column + 1, states.bit_length())):
            if feedback >> delay & 1:
                found[column] ^= found[column - delay]
            if forward >> delay & 1:
                found[column] ^= odd[column - delay]
    return found.T


def trellis_values(codes: Tensor, states: int) -> Tensor:
    """What codes (rows, columns) stand for, float32 in steps: multiples of a half."""
    return codes.float() - second_grid(codes, states).float() * codes.sign().float() / 2


class UnionRecipe(SpreadRecipe):
    """Fake quantization for `TrellisRecipe`: the nearest value of both grids together, whatever state would offer it.

    Its codes count half steps; they are not for an artifact.
    """

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Parts:
        """int16 codes of a large tensor, or a small one as it is."""
        if tensor.numel() <= KEPT_ELEMENTS:
            return {"kept": tensor.half()}
        weight = tensor.float()
        step = self.steps(weight, statistics, ledger)
        half = per_row(step.float()) / 2
        return {"codes": (weight / half).round().clamp(-2 * self.top, 2 * self.top).to(torch.int16), "step": step}

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        if "kept" in parts:
            return parts["kept"].to(kind)
        return (parts["codes"].float() * per_row(parts["step"]).float() / 2).to(kind)


class TrellisRecipe(SpreadRecipe):
    """`SpreadRecipe` whose rounding makes trellis-coded codes of matrices; the rounding says of how many states.

    Steps, bits and clips mean what they do without a trellis. `in_training` is what fake quantization takes.
    """

    in_training = UnionRecipe

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype; what is no matrix has plain codes."""
        if "kept" in parts or parts["codes"].ndim != 2:
            return restore_tensor(parts, kind)
        rounding: Any = self.rounding
        return (trellis_values(parts["codes"], rounding.states) * per_row(parts["step"]).float()).to(kind)
