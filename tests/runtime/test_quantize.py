"""Integer grids element by element: steps, codes, ties, and what comes back."""

import itertools
import math

import pytest
import torch

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import (
    CLIP_QUANTILES,
    KEPT_ELEMENTS,
    SpreadRecipe,
    damped_hessian,
    dequantize,
    fake_quantize,
    int6_grid,
    int8_grid,
    integer_codes,
    nearest_codes,
    per_row,
    quantile_steps,
    restore_tensor,
    squared_error,
)

WEIGHT = torch.randn(6, 40, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("value", "code"),
    [(0.0, 0), (0.49, 0), (0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (30.6, 31), (99.0, 31), (-99.0, -31)],
)
def test_codes_are_rounded_half_to_even_and_clamped(value, code):
    found = integer_codes(torch.tensor([[value * 0.25]]), torch.tensor([0.25]), 31)
    assert found.tolist() == [[code]] and found.dtype == torch.int8


def test_a_step_for_each_row_or_one_for_all():
    assert per_row(torch.tensor(3.0)).shape == () and per_row(torch.tensor([1.0, 2.0])).tolist() == [[1.0], [2.0]]
    codes = torch.tensor([[1, 2], [3, 4]], dtype=torch.int8)
    assert dequantize(codes, torch.tensor([1.0, 0.5]), torch.float32).tolist() == [[1.0, 2.0], [1.5, 2.0]]
    assert dequantize(codes, torch.tensor(2.0), torch.bfloat16).dtype == torch.bfloat16


@pytest.mark.parametrize("half", [False, True])
def test_int6_has_its_largest_weight_at_31_unless_the_floor_holds(half):
    codes, step = int6_grid(100 * WEIGHT, half)
    for row in range(6):
        wanted = (100 * WEIGHT[row]).abs().max() / 31
        assert step[row].item() == pytest.approx(wanted.item(), rel=1e-3 if half else 1e-6)
    assert codes.abs().amax(1).tolist() == [31] * 6 and (step.dtype == torch.float16) is half
    small, floor = int6_grid(WEIGHT / 100, half)
    assert floor.float().unique().tolist() == [pytest.approx(1 / 31, rel=1e-3)] and small.abs().max() <= 1


def test_other_shapes_have_one_step_and_zeros_have_the_step_one():
    codes, step = int6_grid(WEIGHT.flatten(), False)
    assert step.shape == () and codes.abs().max() == 31
    assert int6_grid(torch.zeros(4), False)[1] == 1 and int8_grid(torch.zeros(4))[1] == 1


def test_int8_clips_at_a_quantile_of_each_row():
    codes, step = int8_grid(300 * WEIGHT)
    for row in range(6):
        clip = torch.quantile((300 * WEIGHT[row]).abs(), 0.9999984)
        assert step[row].item() == pytest.approx((clip / 127).item(), rel=1e-3)
    assert codes.abs().amax(1).tolist() == [127] * 6 and step.dtype == torch.float16
    assert int8_grid(300 * WEIGHT, 7)[0].abs().max() == 7


def test_an_error_of_rounding_is_half_a_step_at_most():
    codes, step = int6_grid(100 * WEIGHT, False)
    error = (dequantize(codes, step, torch.float32) - 100 * WEIGHT).abs()
    assert (error <= step[:, None] / 2 * 1.0001).all()
    assert squared_error(100 * WEIGHT, codes, step) == pytest.approx((error**2).mean().item())


def test_five_steps_from_quantiles_up_to_the_largest():
    steps = quantile_steps(WEIGHT, 31, 0.0)
    assert len(steps) == len(CLIP_QUANTILES) + 1 and all(step.dtype == torch.float16 for step in steps)
    assert all((one <= two).all() for one, two in itertools.pairwise(steps))
    torch.testing.assert_close(steps[-1].float(), WEIGHT.abs().amax(1) / 31, rtol=1e-3, atol=0)
    assert all((step > 0).all() for step in quantile_steps(torch.zeros(2, 3), 31, 0.0))
    assert quantile_steps(torch.zeros(2, 3), 31, 0.5)[0].tolist() == [0.5, 0.5]


def test_what_was_kept_or_coded_comes_back_in_its_dtype():
    kept = restore_tensor({"kept": torch.ones(2).half()}, torch.float32)
    assert kept.dtype == torch.float32 and kept.tolist() == [1.0, 1.0]
    coded = restore_tensor({"codes": torch.tensor([2], dtype=torch.int8), "step": torch.tensor(0.5)}, torch.float32)
    assert coded.tolist() == [1.0]


def test_a_damped_hessian_can_be_inverted():
    x = torch.randn(20, 4)
    x[:, 2] = 0
    hessian = x.T @ x
    damped, dead = damped_hessian(hessian, 0.01)
    assert dead.tolist() == [False, False, True, False] and not hessian[2].any(), "the given one stays"
    diagonal = hessian.diagonal().clone()
    diagonal[2] = 1.0
    torch.testing.assert_close(damped.diagonal(), diagonal + 0.01 * diagonal.mean())
    assert torch.linalg.eigvalsh(damped).min() > 0


@pytest.mark.parametrize("bits", [2, 4, 6, 8])
def test_a_spread_recipe_clips_at_multiples_of_the_standard_deviation(bits):
    weight = torch.randn(300, 260, generator=torch.Generator().manual_seed(1))
    ledger = Ledger()
    recipe = SpreadRecipe("toy", f"int{bits}", 2 ** (bits - 1) - 1, 3.0, (), nearest_codes)
    parts = recipe.encode("w", weight, {}, ledger)
    top = 2 ** (bits - 1) - 1
    assert recipe.name == f"int{bits}" and parts["codes"].abs().max() == top
    for row in (0, 299):
        values = weight[row].tolist()
        mean = sum(values) / len(values)
        spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
        assert parts["step"][row].item() == pytest.approx(3.0 * spread / top, rel=1e-3)
    assert ledger.receipt("toy") == "1 tensors quantized"


def test_small_tensors_are_kept_and_rows_of_zeros_have_step_one():
    recipe, ledger = SpreadRecipe("toy", "int6", 31, 3.0, (), nearest_codes), Ledger()
    assert recipe.encode("w", torch.ones(KEPT_ELEMENTS), {}, ledger)["kept"].dtype == torch.float16
    weight = torch.zeros(2, KEPT_ELEMENTS)
    assert recipe.encode("w", weight, {}, ledger)["step"].tolist() == [1.0, 1.0]
    assert ledger.receipt("toy") == "1 tensors kept, 1 tensors quantized"


def test_clip_taps_change_the_clips_of_matrices():
    halve = lambda weight, clip, top, statistics, ledger: clip / 2  # noqa: E731
    weight = torch.randn(300, 260)
    plain, tapped = (SpreadRecipe("toy", "int6", 31, 3.0, taps, nearest_codes) for taps in ((), (halve,)))
    one, two = (recipe.steps(weight, {}, Ledger()).float() for recipe in (plain, tapped))
    torch.testing.assert_close(two, one / 2, rtol=1e-3, atol=0)


def test_fake_quantization_has_the_value_of_the_recipe_and_the_gradient_of_the_weight():
    weight = torch.randn(300, 260, requires_grad=True)
    recipe = SpreadRecipe("toy", "int4", 7, 3.0, (), nearest_codes)
    found = fake_quantize(recipe, "w", weight)
    wanted = recipe.decode("w", recipe.encode("w", weight.detach(), {}, Ledger()), torch.float32)
    torch.testing.assert_close(found.detach(), wanted)
    (found * 3.0).sum().backward()
    assert weight.grad.unique().tolist() == [3.0]
