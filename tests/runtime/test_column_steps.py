"""Steps of columns: pivots that become equal, the gain over one step for all columns, and the round trip."""

import math

import pytest
import torch

from pgolf.runtime.column_steps import ColumnRecipe, column_exponents, column_scales
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import SpreadRecipe
from pgolf.runtime.trellis import TrellisRecipe
from pgolf_plugins.quantizer.gptq import Gptq
from pgolf_plugins.quantizer.trellis import Trellis


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def dependent(columns, seed=3):
    """A Hessian whose columns are more and less predictable from the others."""
    mix = normal(columns, columns, seed=seed) * torch.logspace(0, -1.5, columns)
    return mix @ mix.T


def pivots(hessian, damp=0.01):
    damped = hessian.double() + damp * hessian.diagonal().double().mean() * torch.eye(len(hessian)).double()
    upper = torch.linalg.cholesky(torch.linalg.inv(damped), upper=True)
    return 1 / upper.diagonal().square()


def test_the_scaled_pivots_are_equal_up_to_the_grid_of_exponents():
    hessian = dependent(80)
    scale = column_scales(column_exponents(hessian, 0.01)).double()
    after = (pivots(hessian) * scale.square()).log2()
    assert pivots(hessian).log2().std() > 1
    assert (after - after.mean()).abs().max() <= 2 * 0.5 / 4 + 0.3
    assert scale.log2().mean().abs() < 0.1, "the row's step keeps its meaning"


def test_without_a_factor_all_columns_are_alike():
    assert column_scales(column_exponents(-torch.eye(5), 0.01)).tolist() == [1.0] * 5


def entropy(codes, classes):
    """Bits a code, with a table for each class of columns."""
    total = 0.0
    for one in classes.unique():
        counts = torch.unique(codes[:, classes == one], return_counts=True)[1].double()
        total -= (counts * (counts / counts.sum()).log2()).sum().item()
    return total / codes.numel()


@pytest.mark.parametrize("trellis", [False, True])
def test_less_error_at_equal_entropy_than_one_step_for_all_columns(trellis):
    weight, hessian = normal(300, 256), dependent(256)
    statistics = {"hessian": hessian}
    rounding, kind = (Trellis(8, 0.0, 0.01), TrellisRecipe) if trellis else (Gptq(128, 0.01), SpreadRecipe)
    inner = kind("sdclip", "int8", 127, 30.0, (), rounding)
    found = {}
    for name, recipe in (("rows", inner), ("columns", ColumnRecipe(inner, 0.01))):
        parts = recipe.encode("w", weight, statistics, Ledger())
        error = (weight - recipe.decode("w", parts, torch.float32)).double()
        weighted = ((error @ hessian.double()) * error).sum().item()
        classes = parts["columns"] if "columns" in parts else torch.zeros(256)
        found[name] = 10 * math.log10(weighted) + 6.0206 * entropy(parts["codes"], classes)
    assert found["columns"] < found["rows"] - 1.0


def test_groups_are_as_if_alone_and_what_has_no_hessian_is_left_to_the_other_recipe():
    recipe = ColumnRecipe(SpreadRecipe("sdclip", "int6", 31, 12.0, (), Gptq(128, 0.01)), 0.01)
    weights, known = [normal(300, 256, seed=s) for s in (1, 2)], [{"hessian": dependent(256, s)} for s in (3, 4)]
    together = recipe.encode_group(["a", "b"], weights, known, Ledger())
    for weight, one, parts in zip(weights, known, together, strict=True):
        alone = recipe.encode("w", weight, one, Ledger())
        assert all(torch.equal(alone[key], parts[key]) for key in ("codes", "step", "columns"))
    small = normal(10, 10)
    parts = recipe.encode("s", small, {}, Ledger())
    assert set(parts) == {"kept"} and torch.equal(recipe.decode("s", parts, torch.float32), small.half().float())
