"""The Viterbi search for trellis-coded codes: all rows of matrices of one shape side by side, on their device."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from pgolf.runtime.quantize import damped_hessian
from pgolf.runtime.trellis import next_states

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

BLOCK = 32
# That are searched at once: 8 states of 2048 columns of so many rows are a gigabyte.
ROWS = 16384


class Paths(NamedTuple):
    """What the search keeps, each (matrices, rows, states) or with columns behind.

    Attributes:
        cost: of the best path into each state.
        near: residuals of the columns of the block that are left.
        errors: of the block's columns so far.
        origin: the state that the path had at the begin of the block.
    """

    cost: Tensor
    near: Tensor
    errors: Tensor
    origin: Tensor


def search_paths(weight: Tensor, factor: Tensor, top: int, states: int, rate: float) -> Tensor:
    """int8 codes of `weight` (matrices, rows, columns), in steps; `factor` (matrices, columns, columns); see `trellis`."""
    matrices, rows, columns = weight.shape
    moves = Moves(states, weight.device)
    scale = factor.diagonal(dim1=1, dim2=2).square().reciprocal().mean(1)[:, None, None]
    spread = weight.var(2, keepdim=True).clamp_min(1e-12)
    # One row alone says nothing of its columns.
    columns_spread = (weight.square() / spread).mean(1, keepdim=True).clamp_min(1e-3) if rows > 16 else 1.0
    prices = (rate * 0.7213 * scale / (spread * columns_spread)).expand(-1, -1, columns)
    cost = weight.new_full((matrices, rows, states), 1e30)
    cost[..., 0] = 0
    rest = weight[:, :, None].expand(-1, -1, states, -1)
    history = torch.empty(columns, 2, matrices, rows, states, dtype=torch.int8, device=weight.device)
    for start in range(0, columns, BLOCK):
        end = min(start + BLOCK, columns)
        origin = torch.arange(states, device=weight.device).expand_as(cost)
        paths = Paths(cost, rest[..., : end - start], rest[..., :0], origin)
        for column in range(start, end):
            row = factor[:, None, None, column, column:end]
            paths = moves.advance(paths, row, prices[:, :, column, None], top, history[column])
        cost, later = paths.cost, factor[:, None, start:end, end:]
        rest = pick(rest[..., end - start :], paths.origin) - paths.errors @ later
    return backtrack(history, cost.argmin(2, keepdim=True)).to(torch.int8)


class Moves:
    """The steps of the search for one set of states: which two (state, parity) lead to each.

    `before`, `odd` (states, 2): those of the first and the second.
    """

    def __init__(self, states: int, device: torch.device) -> None:
        following = next_states(states).flatten()
        into = following.argsort(stable=True).view(states, 2).to(device)
        self.before, self.odd = into // 2, into % 2
        self.second = (torch.arange(states, device=device) & 1).float()

    def advance(self, paths: Paths, row: Tensor, price: Tensor, top: int, history: Tensor) -> Paths:
        """One column on. `row` (matrices, 1, 1, columns left of the block) of the factor; what was chosen goes to `history`."""
        weight, pivot = paths.near[..., 0], row[..., 0]
        middle = weight.round().clamp(1 - top, top - 1)
        costs, codes, errors = [], [], []
        for shift in (-1.0, 0.0, 1.0):
            code = middle + shift
            value = code - self.second * code.sign() / 2
            error = (weight - value) / pivot
            costs.append(paths.cost + error.square() + price * value.square())
            codes.append(code)
            errors.append(error)
        lower = costs[0] <= costs[2]
        even = middle.remainder(2) == 0
        # (.., 2 states): the best of either parity.
        both = []
        for below, here, above in (costs, codes, errors):
            other = torch.where(lower, below, above)
            both.append(torch.stack([torch.where(even, here, other), torch.where(even, other, here)], -1).flatten(-2))
        place = self.before * 2 + self.odd
        second = both[0][..., place[:, 1]] < both[0][..., place[:, 0]]
        cost, code, error = (torch.where(second, part[..., place[:, 1]], part[..., place[:, 0]]) for part in both)
        source = torch.where(second, self.before[:, 1], self.before[:, 0])
        history[0], history[1] = code.to(torch.int8), source.to(torch.int8)
        near = pick(paths.near[..., 1:], source) - error[..., None] * row[..., 1:]
        kept = torch.cat([pick(paths.errors, source), error[..., None]], -1)
        return Paths(cost, near, kept, paths.origin.gather(2, source))


def pick(paths: Tensor, source: Tensor) -> Tensor:
    """(.., states, columns) of the paths that `source` (.., states) goes on from."""
    return paths.gather(2, source[..., None].expand(*source.shape, paths.shape[-1]))


def backtrack(history: Tensor, state: Tensor) -> Tensor:
    """Codes (matrices, rows, columns) of the path that ends in `state` (matrices, rows, 1)."""
    codes = []
    for chosen, source in history.flip(0):
        codes.append(chosen.gather(2, state))
        state = source.gather(2, state).long()
    return torch.cat(codes[::-1], 2)


def row_factor(weight: Tensor, known: Mapping[str, Tensor], damp: float) -> Tensor:
    """The upper factor U of the inverse Hessian, columns in their order; the identity without one, or where it has none."""
    plain = torch.eye(weight.shape[1], device=weight.device)
    if "hessian" not in known:
        return plain
    lower, failed = torch.linalg.cholesky_ex(damped_hessian(known["hessian"].double(), damp)[0])
    upper, again = torch.linalg.cholesky_ex(torch.cholesky_inverse(lower), upper=True)
    return torch.where((failed + again > 0), plain, upper.float())
