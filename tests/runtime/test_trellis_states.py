"""Trellis codes: the state machine by its definition, decoding by a slow loop, and what the recipes give back."""

import pytest
import torch

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import nearest_codes
from pgolf.runtime.trellis import (
    POLYNOMIALS,
    TrellisRecipe,
    UnionRecipe,
    next_states,
    second_grid,
    trellis_values,
)

STATES = sorted(POLYNOMIALS)
# Dependent quantization of H.266 with 4 states: the same machine.
VVC4 = [[0, 2], [2, 0], [1, 3], [3, 1]]


class Coded:
    """A rounding that has its codes already."""

    states = 8
    statistics = ()

    def __init__(self, codes):
        self.codes = codes

    def __call__(self, name, weight, step, top, statistics, ledger):
        return self.codes


def some_codes(rows=40, columns=90, seed=0):
    return torch.randint(-127, 128, (rows, columns), generator=torch.Generator().manual_seed(seed), dtype=torch.int8)


@pytest.mark.parametrize("states", STATES)
def test_every_state_has_two_ways_in_and_the_grid_follows_the_states(states):
    table = next_states(states)
    assert sorted(table.flatten().tolist()) == sorted([*range(states)] * 2)
    codes = some_codes()
    grid = second_grid(codes, states)
    state = torch.zeros(len(codes), dtype=torch.long)
    for column in range(codes.shape[1]):
        assert torch.equal(grid[:, column].long(), state & 1)
        state = table[state, codes[:, column].long() % 2]
    assert 0.4 < grid.float().mean() < 0.6, "both grids are in use"


def test_four_states_use_the_grids_as_h266_does():
    codes, state = some_codes(1, 200)[0].tolist(), 0
    grids = second_grid(torch.tensor([codes]), 4)[0].tolist()
    for code, grid in zip(codes, grids, strict=True):
        assert grid == (state >= 2)
        state = VVC4[state][code & 1]


@pytest.mark.parametrize("states", STATES)
def test_values_by_a_loop_over_single_codes(states):
    codes, table = some_codes(7, 33, states), next_states(states).tolist()
    for row, found in zip(codes.tolist(), trellis_values(codes, states).tolist(), strict=True):
        state = 0
        for code, value in zip(row, found, strict=True):
            sign = (code > 0) - (code < 0)
            assert value == (code - sign * 0.5 if state % 2 else code)
            state = table[state][code % 2]


def test_any_integer_dtype_gives_the_same_values():
    codes = some_codes()
    wanted = trellis_values(codes, 8)
    assert all(
        torch.equal(trellis_values(codes.to(kind), 8), wanted) for kind in (torch.int16, torch.int32, torch.int64)
    )


def test_the_recipe_decodes_values_times_steps_in_the_tensors_dtype():
    codes = some_codes(300, 300)
    recipe = TrellisRecipe("sdclip", "int8", 127, 20.0, (), Coded(codes))
    weight = torch.randn(300, 300, generator=torch.Generator().manual_seed(1))
    parts = recipe.encode("w", weight, {}, Ledger())
    assert parts["codes"] is codes and set(parts) == {"codes", "step"}
    decoded = recipe.decode("w", parts, torch.bfloat16)
    wanted = (trellis_values(codes, 8) * parts["step"].float()[:, None]).bfloat16()
    assert decoded.dtype == torch.bfloat16 and torch.equal(decoded, wanted)


def test_small_tensors_and_what_is_no_matrix_have_plain_codes():
    recipe = TrellisRecipe("sdclip", "int8", 127, 20.0, (), Coded(None))
    small = torch.randn(10, 10)
    assert torch.equal(recipe.decode("s", recipe.encode("s", small, {}, Ledger()), torch.float16), small.half())
    vector = torch.randn(70000)
    parts = recipe.encode("v", vector, {}, Ledger())
    assert torch.equal(recipe.decode("v", parts, torch.float32), parts["codes"].float() * parts["step"].float())


def test_fake_quantization_takes_the_nearest_value_of_both_grids():
    weight = torch.randn(300, 300, generator=torch.Generator().manual_seed(2))
    recipe = TrellisRecipe.in_training("sdclip", "int6", 31, 12.0, (), nearest_codes)
    assert isinstance(recipe, UnionRecipe)
    parts = recipe.encode("w", weight, {}, Ledger())
    decoded = recipe.decode("w", parts, torch.float32)
    half = parts["step"].float()[:, None] / 2
    inside = weight.abs() < 61 * half
    assert ((decoded - weight).abs()[inside] <= (half / 2 * 1.0001).expand_as(weight)[inside]).all()
    assert ((decoded / half).round() - decoded / half).abs().max() < 1e-3
    small = torch.randn(10, 10)
    assert torch.equal(recipe.decode("s", recipe.encode("s", small, {}, Ledger()), torch.float32), small.half().float())
