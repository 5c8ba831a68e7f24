import pytest
import torch
from pipeline_vectors import load_case

from pgolf.runtime.progress import measure_progress
from pgolf.runtime.quantize import dequantize, int6_grid
from pgolf.testing import tiny_context
from pgolf_plugins.quantizer.soft_round import Sharpness, soft_quantize, soft_round_starts, soften


@pytest.mark.parametrize("name", ["Q9_softround_a1_a", "Q9_softround_a16_a"])
def test_values_and_gradients_are_those_of_the_public_script(name):
    case = load_case(name)
    weight, x = (case.inputs[key].clone().requires_grad_() for key in ("W", "x"))
    alpha = torch.tensor(case.params["cls"]["_qat_alpha"])
    y = x @ soft_quantize(weight, alpha, half=False).T
    y.backward(case.inputs["gy"])
    for key, found in (("train_y", y), ("train_grad_W", weight.grad), ("train_grad_x", x.grad)):
        torch.testing.assert_close(found, case.outputs[key], rtol=1e-4, atol=1e-5)


def test_sharp_enough_it_is_the_exporters_grid():
    weight = torch.randn(20, 50, generator=torch.Generator().manual_seed(1)) * 3
    sharp = soft_quantize(weight, torch.tensor(1e6), half=True)
    codes, step = int6_grid(weight, half=True)
    torch.testing.assert_close(sharp, dequantize(codes, step, torch.float32), rtol=1e-5, atol=1e-5)
    errors = [(soft_quantize(weight, torch.tensor(alpha), half=True) - sharp).norm() for alpha in (1.0, 4.0, 16.0)]
    assert errors[0] > errors[1] > errors[2] > 0


def test_the_ramp_begins_with_the_phase_and_is_a_straight_line():
    progress = measure_progress(0, 10_000, 0.0, 0.0)
    ramp, found = Sharpness(0.15, 2000, 1.0, 16.0, 500), {}
    for step in (0, 1999, 2000, 2100, 2350, 2600, 2601, 9000):
        at = progress._replace(step=step, lr_mul=0.1 if step != 2000 else 0.15)
        assert soft_round_starts(at, 0.15, 2000) == (step > 2000)
        found[step] = ramp(at)
    assert found == {0: 1, 1999: 1, 2000: 1, 2100: 1, 2350: 8.5, 2600: 16, 2601: 16, 9000: 16}


def test_it_reads_the_number_of_the_step_and_compiles_nothing_for_another():
    weight = torch.randn(8, 16, generator=torch.Generator().manual_seed(1))
    compiled = torch.compile(lambda alpha: soft_quantize(weight, alpha, True), backend="eager", fullgraph=True)
    fields = [{"soft_round_alpha": torch.tensor(alpha)} for alpha in (1.0, 3.0, 9.0)]
    used = [
        soften(None, weight, "mlp.fc", 0, 0, tiny_context(phases=("soft_round",), fields=one), half=True)
        for one in fields
    ]
    with torch._dynamo.config.patch(error_on_recompile=True):
        assert all(
            torch.equal(compiled(one["soft_round_alpha"]), wanted) for one, wanted in zip(fields, used, strict=True)
        )
    assert not torch.equal(used[0], used[2])


@pytest.mark.parametrize(
    ("role", "training", "on"), [("head", True, True), ("mlp.fc", False, True), ("mlp.fc", True, False)]
)
def test_off_for_the_head_in_scoring_and_before_its_phase(role, training, on):
    weight = torch.randn(4, 4)
    ctx = tiny_context(training=training, phases=("soft_round",) * on)
    assert soften(None, weight, role, 0, 0, ctx, half=True) is weight
