"""The Viterbi search: against every path there is, against its own definition of the error, and against plain codes."""

import itertools
import math

import pytest
import torch

from pgolf.runtime.trellis import second_grid, trellis_values
from pgolf.runtime.trellis_search import BLOCK, row_factor, search_paths


def normal(rows, columns, seed=0):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def entropy(codes, grid):
    """Bits a code, with a table for each grid."""
    bits = 0.0
    for half in (0, 1):
        counts = torch.unique(codes[grid == half], return_counts=True)[1].double()
        bits -= (counts * (counts / counts.sum().clamp_min(1)).log2()).sum().item()
    return bits / codes.numel()


def cost_of(weight, codes, factor, rate, states):
    """What the search minimises, of one row, column by column in float64."""
    values, work = trellis_values(codes[None], states)[0].double(), weight.double().clone()
    pivot = factor.diagonal().double()
    price = rate * 0.7213 * (1 / pivot**2).mean() / weight.double().var()
    total = 0.0
    for column, value in enumerate(values):
        error = (work[column] - value) / pivot[column]
        total += (error**2 + price * value**2).item()
        work[column:] -= error * factor[column, column:].double()
    return total


@pytest.mark.parametrize("states", [4, 8])
@pytest.mark.parametrize("rate", [0.0, 0.2])
def test_no_path_of_small_codes_is_better(states, rate):
    weight = normal(5, 6, seed=states)
    found = search_paths(weight[None], torch.eye(6)[None], 2, states, rate)[0]
    every = torch.tensor(list(itertools.product(range(-2, 3), repeat=6)), dtype=torch.int8)
    values = trellis_values(every, states)
    for row, codes in zip(weight, found, strict=True):
        price = rate * 0.7213 / row.var()
        costs = ((row - values) ** 2 + price * values**2).sum(1)
        assert cost_of(row, codes, torch.eye(6), rate, states) == pytest.approx(costs.min().item(), rel=1e-4)


def test_rows_and_matrices_do_not_know_of_each_other():
    weight = normal(12, 70)
    factors = torch.stack(
        [row_factor(weight[:4], {"hessian": (x := normal(200, 70, seed)).T @ x}, 0.01) for seed in (1, 2, 3)]
    )
    together = search_paths(weight.view(3, 4, 70), factors, 20, 8, 0.07)
    for matrix in range(3):
        for row in range(4):
            alone = search_paths(
                weight[None, 4 * matrix + row : 4 * matrix + row + 1], factors[None, matrix], 20, 8, 0.07
            )
            assert torch.equal(alone[0, 0], together[matrix, row])


@pytest.mark.parametrize("states", [4, 8, 16])
def test_it_beats_plain_codes_by_what_is_known_of_normal_rows(states):
    """At one step: the gap to the rate-distortion bound, 1.6 dB for plain codes with ideal entropy."""
    weight = normal(600, 256) / 0.5
    codes = search_paths(weight[None], torch.eye(256)[None], 127, states, 0.07)[0]
    error = ((weight - trellis_values(codes, states)) ** 2).mean().item() / weight.var().item()
    gap = 10 * math.log10(error) + 6.0206 * entropy(codes, second_grid(codes, states))
    plain = weight.round()
    old = 10 * math.log10(((weight - plain) ** 2).mean().item() / weight.var().item()) + 6.0206 * entropy(
        plain, torch.zeros_like(plain)
    )
    assert 1.5 < old < 1.75
    assert old - gap > {4: 0.7, 8: 0.82, 16: 0.9}[states]


def test_feedback_follows_the_hessian_over_blocks():
    """The sum of squares that the search minimises is the error weighted by H, and feedback makes it less."""
    columns = 2 * BLOCK + 5
    inputs = normal(500, columns, 7) @ normal(columns, columns, 8)
    hessian, weight = inputs.T @ inputs / 500, normal(30, columns, 9) * 3
    factor = row_factor(weight, {"hessian": hessian}, 0.01)
    damped = hessian + 0.01 * hessian.diagonal().mean() * torch.eye(columns)
    codes = search_paths(weight[None], factor[None], 100, 8, 0.0)[0]

    def weighted(found):
        error = (weight - trellis_values(found, 8)).double()
        return ((error @ damped.double()) * error).sum(1)

    by_search = torch.tensor([cost_of(row, code, factor, 0.0, 8) for row, code in zip(weight, codes, strict=True)])
    torch.testing.assert_close(weighted(codes), by_search.double(), rtol=1e-3, atol=1e-3)
    without = search_paths(weight[None], torch.eye(columns)[None], 100, 8, 0.0)[0]
    assert weighted(codes).mean() < 0.8 * weighted(without).mean()


def test_codes_stay_below_the_largest_one():
    codes = search_paths(100 * normal(4, 40)[None], torch.eye(40)[None], 7, 8, 0.07)
    assert codes.abs().max() == 7 and codes.dtype == torch.int8


def test_a_hessian_without_a_factor_leaves_out_feedback():
    weight = normal(3, 4)
    assert torch.equal(row_factor(weight, {}, 0.01), torch.eye(4))
    assert torch.equal(row_factor(weight, {"hessian": -torch.eye(4)}, 0.01), torch.eye(4))
