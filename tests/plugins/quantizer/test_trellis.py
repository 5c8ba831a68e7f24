"""The trellis plugin: whole matrices against GPTQ, groups against single ones, class bits, and what the build says."""

import math

import pytest
import torch
from models import resolved

from pgolf.errors import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import SpreadRecipe
from pgolf.runtime.trellis import TrellisRecipe, UnionRecipe, second_grid
from pgolf_plugins.quantizer.gptq import Gptq
from pgolf_plugins.quantizer.lqer import Lqer
from pgolf_plugins.quantizer.trellis import Trellis

NO_BUDGET = {"max_wallclock_seconds": 0}


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def inputs_like(columns, seed):
    """Neighbouring columns go together; columns are about as large as each other."""
    x = normal(2000, columns, seed=seed)
    return x + torch.nn.functional.pad(x[:, :-1], (1, 0))


def weighted(weight, decoded, hessian):
    error = (weight - decoded).double()
    return ((error @ hessian.double()) * error).sum().item()


def bits(codes, grid):
    total = 0.0
    for half in (0, 1):
        counts = torch.unique(codes[grid == half], return_counts=True)[1].double()
        total -= (counts * (counts / counts.sum().clamp_min(1)).log2()).sum().item()
    return total / codes.numel()


@pytest.mark.parametrize("states", [4, 8, 32])
def test_less_error_than_gptq_at_the_same_entropy(states):
    weight, x = normal(260, 256), inputs_like(256, 3)
    known = {"hessian": x.T @ x / len(x)}
    plain = SpreadRecipe("sdclip", "int6", 31, 14.0, (), Gptq(128, 0.01))
    coded = TrellisRecipe("sdclip", "int6", 31, 14.0, (), Trellis(states, 0.07, 0.01))
    found = {}
    for name, recipe, grids in (("plain", plain, 0), ("coded", coded, states)):
        parts = recipe.encode("w", weight, known, Ledger())
        codes = parts["codes"]
        grid = second_grid(codes, grids) if grids else torch.zeros_like(codes)
        error = weighted(weight, recipe.decode("w", parts, torch.float32), known["hessian"])
        found[name] = 10 * math.log10(error) + 6.0206 * bits(codes, grid)
    assert found["plain"] - found["coded"] > {4: 0.65, 8: 0.75, 32: 0.9}[states]


def test_matrices_of_one_shape_are_solved_as_if_alone():
    weights = [normal(260, 256, seed=seed) for seed in (1, 2)]
    known = [{"hessian": (x := inputs_like(256, seed)).T @ x} for seed in (3, 4)]
    recipe, ledger = TrellisRecipe("sdclip", "int6", 31, 12.0, (), Trellis(8, 0.07, 0.01)), Ledger()
    together = recipe.encode_group(["a", "b"], weights, known, ledger)
    for weight, one, parts in zip(weights, known, together, strict=True):
        alone = recipe.encode("w", weight, one, Ledger())
        assert torch.equal(alone["codes"], parts["codes"]) and torch.equal(alone["step"], parts["step"])
    assert ledger.receipt("trellis") == "2 matrices"


def test_without_a_hessian_it_works_and_says_so():
    ledger, weight = Ledger(), normal(260, 256)
    recipe = TrellisRecipe("sdclip", "int6", 31, 12.0, (), Trellis(8, 0.07, 0.01))
    decoded = recipe.decode("w", recipe.encode("w", weight, {}, ledger), torch.float32)
    step = 12.0 * weight.std() / 31
    assert ((decoded - weight).square().mean() / (step**2 / 12)).item() < 0.8
    assert "1 matrices without feedback" in ledger.receipt("trellis")


def test_lqer_corrects_what_the_codes_stand_for():
    weight, x = normal(260, 256), inputs_like(256, 3)
    recipe = TrellisRecipe("sdclip", "int3", 3, 4.0, (), Trellis(8, 0.07, 0.01))
    decoded = recipe.decode("w", recipe.encode("w", weight, {"hessian": x.T @ x}, Ledger()), torch.float32)
    correction = Lqer(4, 1, 4, 64)
    parts = correction.encode({"w": weight}, {"w": decoded}, {}, Ledger())["w"]
    assert (weight - correction.decode("w", parts, decoded)).norm() < (weight - decoded).norm()


def test_every_recipe_that_takes_a_rounding_decodes_its_codes():
    entry = resolved("trellis", "promote", "mixed_bits", "qat", trellis_states=16, **NO_BUDGET).entry
    assert entry.count("TrellisRecipe(") == 5 and "SpreadRecipe(" not in entry.replace("import SpreadRecipe", "")
    assert "Trellis(damp=0.01, rate=0.0, states=16)" in entry
    assert "UnionRecipe(" in entry and TrellisRecipe.in_training is UnionRecipe


def test_what_cannot_be_is_a_build_error():
    with pytest.raises(PgolfError, match="trellis_states"):
        resolved("trellis", trellis_states=6, **NO_BUDGET)
    with pytest.raises(PgolfError, match="trellis_damp"):
        resolved("trellis", trellis_damp=0.0, **NO_BUDGET)
    with pytest.raises(PgolfError, match="gptq"):
        resolved("trellis", "gptq", **NO_BUDGET)
