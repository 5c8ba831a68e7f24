import pytest
import torch
from pipeline_vectors import load_case

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import CLIP_QUANTILES, dequantize
from pgolf_plugins.quantizer.gptq_lite import GptqLite, search_clip


@pytest.mark.parametrize("name", ["Q12_gptq_lite_a", "Q12_gptq_lite_unfloored_a"])
def test_codes_and_steps_are_those_of_the_public_script(name):
    case = load_case(name)
    codes, step = search_clip(case.inputs["W"], 1 / 31)
    assert torch.equal(codes, case.outputs["q"]) and torch.equal(step, case.outputs["scale"])
    error = (case.inputs["W"] - dequantize(codes, step, torch.float32)).double().square().mean()
    assert error.item() == pytest.approx(case.outputs["mse"].item(), rel=1e-4)


def test_without_a_floor_no_clip_is_better():
    """Each candidate by itself, in float64."""
    weight = torch.randn(40, 600, generator=torch.Generator().manual_seed(1)) * 0.05
    weight[3, 7], weight[9, 1] = 0.9, -0.7
    codes, step = search_clip(weight, 0.0)
    found = (weight - dequantize(codes, step, torch.float32)).square().mean()
    for quantile in (*CLIP_QUANTILES, 1.0):
        clip = torch.quantile(weight.abs().double(), quantile, 1)
        other = (clip / 31).half().double()[:, None]
        error = (weight - (weight / other).round().clamp(-31, 31) * other).square().mean()
        assert found <= error * (1 + 1e-4)


def test_rows_of_zeros_and_small_tensors():
    codes, step = search_clip(torch.zeros(4, 8), 0.0)
    assert not codes.any() and (step > 0).all()
    ledger = Ledger()
    assert set(GptqLite(0.0).encode("w", torch.ones(4, 4), {}, ledger)) == {"kept"}
    assert set(GptqLite(0.0).encode("w", torch.ones(300, 300), {}, ledger)) == {"codes", "step"}
    assert ledger.receipt("gptq_lite") == "1 tensors kept, 1 tensors quantized"
