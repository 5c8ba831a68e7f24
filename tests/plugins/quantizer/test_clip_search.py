"""GPTQ with five clips against golden codes, against each clip by itself, and against plain rounding."""

from types import SimpleNamespace

import pytest
import torch
from models import resolved
from pipeline_vectors import load_case

from pgolf.errors import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import CLIP_QUANTILES, dequantize, fake_quantize, integer_codes, nearest_codes
from pgolf_plugins.quantizer.clip_search import ClipSearch, tensor_recipes
from pgolf_plugins.quantizer.gptq import Gptq
from pgolf_plugins.quantizer.gptq_lite import search_clip

CASES = ["b32_a", "b64_a", "b128_a", "b32_dead"]


@pytest.fixture(autouse=True)
def tiny_matrices_count(monkeypatch):
    """Golden matrices are small, and would be kept."""
    monkeypatch.setattr("pgolf_plugins.quantizer.clip_search.KEPT_ELEMENTS", 10)


def example(rows=24, columns=40, seed=1):
    """A matrix with a few large weights, below one, and the Hessian of correlated inputs."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(300, columns, generator=generator) @ torch.randn(columns, columns, generator=generator)
    weight = torch.randn(rows, columns, generator=generator) * 0.05
    weight[3, 7], weight[9, 1] = 0.9, -0.7
    return weight, inputs.T @ inputs / 300


def counting(block=32):
    """A solver that counts the matrices it is given."""

    class Counting(Gptq):
        solved = 0

        def solve(self, names, *rest):
            self.solved += len(names)
            return super().solve(names, *rest)

    return Counting(block, 0.01)


@pytest.mark.parametrize("name", [f"Q13_clipsearch_{name}" for name in CASES] + ["Q13_pr1218_a"])
@pytest.mark.parametrize("grouped", [False, True])
def test_codes_and_steps_are_those_of_the_public_scripts(name, grouped):
    case = load_case(name)
    weight, known = case.inputs["W"], {"hessian": case.inputs["H"]}
    recipe = ClipSearch(1 / 31, Gptq(case.params["block_size"], 0.01))
    if grouped:
        parts = recipe.encode_group(["w"], [weight], [known], Ledger())[0]
    else:
        parts = recipe.encode("w", weight, known, Ledger())
    assert torch.equal(parts["step"], case.outputs["scale"]) and torch.equal(parts["codes"], case.outputs["q"])
    error = (weight - recipe.decode("w", parts, torch.float32)).double()
    weighted = (error @ case.inputs["H"].double() * error).sum().item() / len(weight)
    assert weighted == pytest.approx(case.outputs["h_err"].item(), rel=1e-6)
    if "rtn_h_err" in case.outputs:
        assert weighted < 0.9 * case.outputs["rtn_h_err"].item(), "it is there to beat rounding to nearest"


def test_a_hessian_without_a_factor_gives_the_search_without_hessians():
    """The golden indefinite Hessian: the result of gptq_lite, which its script falls back to."""
    case = load_case("Q13_cholesky_fallback")
    ledger = Ledger()
    parts = ClipSearch(1 / 31, Gptq(128, 0.01)).encode("w", case.inputs["W"], {"hessian": case.inputs["H"]}, ledger)
    assert torch.equal(parts["codes"], case.outputs["q"]) and torch.equal(parts["step"], case.outputs["scale"])
    assert ledger.receipt("gptq") == "1 matrices rounded to nearest, whose Hessian has no Cholesky factor"
    codes, step = search_clip(case.inputs["W"], 1 / 31)
    assert torch.equal(parts["codes"], codes) and torch.equal(parts["step"], step)


@pytest.mark.parametrize("floor", [0.0, 1 / 31])
def test_no_clip_is_better(floor):
    """Each candidate by itself, in float64 and with steps of its own; columns without input do not count."""
    weight, hessian = example()
    hessian[5], hessian[:, 5] = 0.0, 0.0
    weight[:, 5] = 0.5
    solver = Gptq(32, 0.01)
    parts = ClipSearch(floor, solver).encode("w", weight, {"hessian": hessian}, Ledger())
    alive = torch.arange(40) != 5
    errors = []
    for quantile in (*CLIP_QUANTILES, 1.0):
        clip = torch.quantile(weight.abs().double(), quantile, 1).float()
        step = (clip / 31).clamp_min(floor).half()
        codes = solver("w", weight, step, 31, {"hessian": hessian}, Ledger())
        errors.append((weight - dequantize(codes, step, torch.float64))[:, alive].square().mean().item())
    found = (weight - dequantize(parts["codes"], parts["step"], torch.float64))[:, alive].square().mean().item()
    assert found == pytest.approx(min(errors), rel=1e-3)
    assert (max(errors) > 1.01 * min(errors)) == (floor == 0.0), "under the floor there is nothing to choose"


def test_together_as_apart_and_equal_steps_are_solved_once():
    examples = [example(seed=seed) for seed in range(3)]
    examples[1] = (examples[1][0] * 40, examples[1][1])
    names, weights = ["a", "b", "c"], [weight for weight, _ in examples]
    known, solver, ledger = [{"hessian": hessian} for _, hessian in examples], counting(), Ledger()
    together = ClipSearch(1 / 31, solver).encode_group(names, weights, known, ledger)
    assert solver.solved == 5 + 2, "all rows of two matrices are under the floor"
    for name, weight, statistics, parts in zip(names, weights, known, together, strict=True):
        alone = ClipSearch(1 / 31, Gptq(32, 0.01)).encode(name, weight, statistics, Ledger())
        assert torch.equal(parts["step"], alone["step"]) and parts["codes"].dtype == torch.int8
        assert (parts["codes"] != alone["codes"]).float().mean() < 0.005
    assert ledger.receipt("gptq") == "3 matrices" and ledger.receipt("clip_search") == "3 tensors quantized"


def test_without_a_rounding_it_is_the_nearest_codes():
    weight = example()[0]
    parts = ClipSearch(0.0, nearest_codes).encode("w", weight, {}, Ledger())
    assert torch.equal(parts["codes"], integer_codes(weight, parts["step"].float(), 31))
    codes, step = search_clip(weight, 0.0)
    assert torch.equal(parts["codes"], codes) and torch.equal(parts["step"], step)


def test_small_tensors_and_what_is_no_matrix_are_kept():
    ledger, recipe = Ledger(), ClipSearch(1 / 31, nearest_codes)
    for tensor in (torch.ones(2, 5), torch.ones(40)):
        parts = recipe.encode("w", tensor, {}, ledger)
        assert parts["kept"].dtype == torch.float16
        assert recipe.decode("w", parts, torch.float32).equal(tensor)
    assert ledger.receipt("clip_search") == "2 tensors kept"


@pytest.mark.slow
def test_fake_quantization_by_it_is_one_graph():
    weight, recipe = example()[0], ClipSearch(0.0, nearest_codes)
    compiled = torch.compile(lambda weight: fake_quantize(recipe, "w", weight), backend="eager", fullgraph=True)
    assert torch.equal(compiled(weight), fake_quantize(recipe, "w", weight))


def test_rows_of_zeros_stay_zeros():
    weight, hessian = example()
    weight[4] = 0.0
    parts = ClipSearch(0.0, Gptq(32, 0.01)).encode("w", weight, {"hessian": hessian}, Ledger())
    assert not parts["codes"][4].any() and (parts["step"] > 0).all()


def test_in_a_recipe():
    entry = resolved("clip_search").entry
    assert "grouped=('attn', 'mlp')" in entry and "SpreadRecipe" not in entry and "TrainCalibration" in entry
    entry = resolved("clip_search", "self_calibration", "sdclip", sdclip_classes="embed").entry
    assert "grouped=('attn', 'embed', 'mlp')" in entry and "SelfCalibration" in entry
    with pytest.raises(PgolfError, match="tensor_recipes gives 'attn' twice"):
        resolved("clip_search", "sdclip")
    settings = SimpleNamespace(clip_search_classes="attn, embed", quirk_step_floor=False)
    assert sorted(tensor_recipes(settings, None)) == ["attn", "embed"]
