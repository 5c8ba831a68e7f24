"""GPTQ against golden codes, against its own definition by a slower route, and against plain rounding."""

from types import SimpleNamespace

import pytest
import torch
from models import resolved
from pipeline_vectors import load_case

from pgolf import Param
from pgolf.errors import PgolfError
from pgolf.runtime.export import encode_model
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import zeros
from pgolf.runtime.quantize import SpreadRecipe, damped_hessian, dequantize, integer_codes
from pgolf.settings import SettingsView
from pgolf_plugins.quantizer.gptq import Gptq, inverse_factor, rounding

SDCLIP = [
    "Q13_sdclip_b32_a",
    "Q13_sdclip_b128_a",
    "Q13_sdclip_b32_dead",
    "Q13_damp_a",
    "Q15_Q19_bits8_k20_a",
    "Q15_Q19_bits7_k14_a",
]


def error_of(weight, hessian, codes, step):
    """(1/rows) sum_i e_i H e_i in float64."""
    error = weight.double() - dequantize(codes, step, torch.float64)
    return (error @ hessian.double() * error).sum().item() / len(weight)


def step_of(weight, sigmas, top):
    return (sigmas * weight.std(1) / top).half()


def example(rows=30, columns=50, seed=3):
    """A matrix and the Hessian of correlated inputs."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(400, columns, generator=generator) @ torch.randn(columns, columns, generator=generator)
    return torch.randn(rows, columns, generator=generator), inputs.T @ inputs / 400


@pytest.mark.parametrize("name", SDCLIP)
def test_codes_are_those_of_the_public_scripts(name):
    case = load_case(name)
    weight, hessian, params = case.inputs["W"], case.inputs["H"], case.params
    top = params["clip_range"]
    step = step_of(weight, params["clip_sigmas"], top)
    assert torch.equal(step, case.outputs["scale"])
    solver = Gptq(params["block_size"], params.get("damp_frac", 0.01))
    codes = solver("w", weight, step, top, {"hessian": hessian}, Ledger())
    assert torch.equal(codes, case.outputs["q"])
    assert error_of(weight, hessian, codes, step) == pytest.approx(case.outputs["h_err"].item(), rel=1e-6)
    plain = error_of(weight, hessian, integer_codes(weight, step.float(), top), step)
    assert error_of(weight, hessian, codes, step) < 0.9 * plain, "it is there to beat rounding to nearest"


def test_the_definition_column_by_column_in_double_precision():
    """Without blocks and without a factor: each column's error goes to the rest by the inverse of what is left of H."""
    weight, hessian = example()
    step, top = step_of(weight, 4.0, 7), 7
    codes = Gptq(16, 0.01)("w", weight, step, top, {"hessian": hessian}, Ledger())
    damped = damped_hessian(hessian.double(), 0.01)[0]
    order = damped.diagonal().argsort(descending=True)
    work, left = weight.double()[:, order], damped[order][:, order]
    found = torch.empty_like(work)
    for column in range(work.shape[1]):
        inverse = torch.linalg.inv(left)
        found[:, column] = (work[:, column] / step.double()).round().clamp(-top, top)
        error = work[:, column] - found[:, column] * step.double()
        work[:, column:] -= error[:, None] * inverse[0] / inverse[0, 0]
        left = left[1:, 1:]
    assert (codes[:, order] != found.to(torch.int8)).float().mean() < 0.005


def test_the_block_size_does_not_matter():
    weight, hessian = example()
    found = [
        Gptq(block, 0.01)("w", weight, step_of(weight, 4.0, 7), 7, {"hessian": hessian}, Ledger())
        for block in (1, 7, 50, 500)
    ]
    assert all((other != found[0]).float().mean() < 0.005 for other in found[1:])


def test_columns_without_input_are_zero_and_harm_nothing():
    weight, hessian = example()
    hessian[5], hessian[:, 5] = 0.0, 0.0
    codes = Gptq(16, 0.01)("w", weight, step_of(weight, 4.0, 7), 7, {"hessian": hessian}, Ledger())
    assert not codes[:, 5].any() and codes.any(0).sum() == 49


@pytest.mark.parametrize("bad", ["indefinite", "nan"])
def test_a_hessian_without_a_factor_is_rounded_to_nearest_and_reported(bad):
    weight, hessian = example()
    hessian[0, 1] = hessian[1, 0] = float("nan") if bad == "nan" else 1e6
    step, ledger = step_of(weight, 4.0, 7), Ledger()
    codes = Gptq(16, 0.01)("w", weight, step, 7, {"hessian": hessian}, ledger)
    assert torch.equal(codes, integer_codes(weight, step.float(), 7))
    assert ledger.receipt("gptq") == "1 matrices rounded to nearest, whose Hessian has no Cholesky factor"


def test_the_golden_indefinite_hessian_has_no_factor():
    case = load_case("Q13_cholesky_fallback")
    hessian = damped_hessian(case.inputs["H"], 0.01)[0]
    assert inverse_factor(hessian).isnan().all()


def test_a_zero_hessian_stops_nothing():
    """A layer that never sees an input: every column is dead, every code zero."""
    weight = torch.randn(8, 8)
    codes = Gptq(4, 0.01)("w", weight, step_of(weight, 4.0, 7), 7, {"hessian": torch.zeros(8, 8)}, Ledger())
    assert not codes.any()


def test_no_statistics_is_one_line():
    with pytest.raises(ValueError, match="w has no input statistics"):
        Gptq(4, 0.01)("w", torch.zeros(2, 2), torch.ones(2), 7, {}, Ledger())


def test_inputs_are_left_alone():
    weight, hessian = example()
    before = weight.clone(), hessian.clone()
    Gptq(16, 0.01)("w", weight, step_of(weight, 4.0, 7), 7, {"hessian": hessian}, Ledger())
    assert torch.equal(weight, before[0]) and torch.equal(hessian, before[1])


def test_matrices_of_one_shape_are_solved_together_as_apart():
    """One of them without a factor, one without inputs to some columns: neither touches the others."""
    examples = [example(seed=seed) for seed in range(4)]
    examples[1][1][0, 1] = examples[1][1][1, 0] = 1e6
    examples[2][1][5], examples[2][1][:, 5] = 0.0, 0.0
    names, weights = [f"w{place}" for place in range(4)], [weight for weight, _ in examples]
    steps, known = [step_of(weight, 4.0, 7) for weight in weights], [{"hessian": hessian} for _, hessian in examples]
    ledger, solver = Ledger(), Gptq(16, 0.01)
    together = solver.solve(names, weights, steps, 7, known, ledger)
    for codes, *one in zip(together, names, weights, steps, known, strict=True):
        alone = solver(*one[:3], 7, one[3], Ledger())
        assert (codes != alone).float().mean() < 0.005 and codes.dtype == torch.int8
    assert torch.equal(together[1], integer_codes(weights[1], steps[1].float(), 7)) and not together[2][:, 5].any()
    assert ledger.receipt("gptq").startswith("1 matrices rounded to nearest") and "3 matrices" in ledger.receipt("gptq")


def test_the_export_hands_over_whole_groups():
    """Two shapes of two classes: one call for each, and the artifact is that of matrices one by one."""
    records = (
        Param("blocks.{}.mlp.fc.weight", (300, 260), "matrix", "mlp", zeros, layers=3),
        Param("blocks.{}.mlp.proj.weight", (260, 300), "matrix", "mlp", zeros, layers=2),
        Param("blocks.{}.attn.c_q.weight", (260, 300), "matrix", "attn", zeros, layers=2),
        Param("blocks.{}.attn.c_k.weight", (20, 300), "matrix", "attn", zeros, layers=2),
    )
    generator, calls = torch.Generator().manual_seed(8), []

    class Watched(Gptq):
        def solve(self, names, *rest):
            calls.append(names)
            return super().solve(names, *rest)

    state = {
        name: torch.randn(record.shape, generator=generator) for record in records for name in record.stored_names()
    }
    statistics = {name: {"hessian": torch.eye(tensor.shape[1])} for name, tensor in state.items()}
    recipes = {key: SpreadRecipe("sdclip", "int6", 31, 12.85, (), Watched(128, 0.01)) for key in ("attn", "mlp")}
    found = {}
    for grouped in (("attn", "mlp"), ()):
        program = SimpleNamespace(
            tensor_recipes=recipes,
            fit=None,
            corrections=(),
            quantization_plan=(),
            tensor_transforms=(),
            grouped=grouped,
        )
        found[grouped] = encode_model(state, records, program, statistics, Ledger())
    sizes = [len(names) for names in calls]
    assert sizes == [3, 2, 2] + [1] * 7
    for name, parts in found[()].items():
        assert parts.keys() == found["attn", "mlp"][name].keys()
        assert all(torch.equal(part, found["attn", "mlp"][name][key]) for key, part in parts.items())
    assert "grouped=('attn', 'embed', 'mlp')" in resolved("gptq").entry and "grouped=()" in resolved("sdclip").entry


def test_settings():
    made = rounding(SettingsView({"gptq_damp": 0.01, "gptq_block_size": 64}, ()))
    assert made.arguments == {"block": 64, "damp": 0.01} and made.target.statistics == ("hessian",)
    with pytest.raises(PgolfError, match=r"gptq_damp is 0.0, wanted more than 0"):
        rounding(SettingsView({"gptq_damp": 0.0, "gptq_block_size": 64}, ()))


def test_in_a_recipe():
    generator = torch.Generator().manual_seed(5)
    inputs = torch.randn(500, 300, generator=generator) @ torch.randn(300, 300, generator=generator)
    weight, hessian = torch.randn(300, 300, generator=generator), inputs.T @ inputs
    recipe = SpreadRecipe("sdclip", "int6", 31, 12.85, (), Gptq(128, 0.01))
    parts = recipe.encode("w", weight, {"hessian": hessian}, Ledger())
    assert torch.equal(parts["step"], step_of(weight, 12.85, 31)) and parts["codes"].abs().max() <= 31
    plain = integer_codes(weight, parts["step"].float(), 31)
    errors = [error_of(weight, hessian, codes, parts["step"]) for codes in (parts["codes"], plain)]
    assert errors[0] < 0.5 * errors[1]
