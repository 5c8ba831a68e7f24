from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pipeline_vectors import load_case

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import dequantize, int6_grid
from pgolf_plugins.quantizer.int6 import Int6Recipe, QuantileInt6, tensor_recipes


@pytest.mark.parametrize("name", ["Q3_int6_amax_floored_a", "Q3_int6_vector"])
def test_codes_and_steps(name):
    case = load_case(name)
    codes, step = int6_grid(case.inputs["W"], half=True)
    assert torch.equal(codes, case.outputs["q"])
    assert step.dtype == torch.float16 and torch.equal(step, case.outputs["scale"])
    restored = dequantize(codes, step, torch.float32)
    torch.testing.assert_close(restored, case.outputs["dequant"], rtol=1e-6, atol=0)


def test_every_weight_is_within_half_a_step():
    weight = torch.randn(20, 300, generator=torch.Generator().manual_seed(5)) * torch.logspace(-2, 2, 20)[:, None]
    codes, step = int6_grid(weight, half=True)
    assert codes.abs().max() <= 31 and step.min() >= torch.tensor(1 / 31).half()
    error = (dequantize(codes, step, torch.float32) - weight).abs()
    assert (error <= step.float()[:, None] * (0.5 + 31 * 2**-11)).all()


def test_extremes():
    codes, step = int6_grid(torch.tensor([[0.0, 0.0], [31.0, -31.0], [1e-3, 1.0]]), half=False)
    assert codes.tolist() == [[0, 0], [31, -31], [0, 31]]
    assert step.tolist() == pytest.approx([1 / 31, 1.0, 1 / 31])
    assert int6_grid(torch.zeros(3), half=True)[1].item() == 1.0


def test_the_recipe_quantizes_large_matrices_and_keeps_small_ones():
    recipe, ledger = Int6Recipe(), Ledger()
    weight = torch.randn(300, 300, generator=torch.Generator().manual_seed(1)).bfloat16()
    parts = recipe.encode("w", weight, {}, ledger)
    assert (parts["codes"].dtype, parts["step"].dtype) == (torch.int8, torch.float16)
    restored = recipe.decode("w", parts, torch.bfloat16)
    assert restored.dtype == torch.bfloat16
    assert (restored.float() - weight.float()).abs().max() < 0.1
    assert recipe.encode("w", weight[:10], {}, ledger)["kept"].dtype == torch.float16
    assert ledger.receipt("int6") == "1 tensors quantized, 1 tensors kept"


def test_the_quantile_form_is_that_of_the_public_script(monkeypatch):
    monkeypatch.setattr("pgolf_plugins.quantizer.int6.KEPT_ELEMENTS", 10)
    case, recipe = load_case("Q3_mixedquant_int6_quantile_a"), QuantileInt6()
    parts = recipe.encode("w", case.inputs["W"], {}, Ledger())
    assert torch.equal(parts["codes"], case.outputs["q"]) and torch.equal(parts["step"], case.outputs["scale"])
    restored = recipe.decode("w", parts, torch.float32)
    torch.testing.assert_close(restored, case.outputs["dequant"], rtol=1e-6, atol=0)


def test_the_quantile_is_interpolated_and_floored():
    """Row by row with numpy; rows in which the quantile lies well below the maximum."""
    weight = torch.randn(300, 256, generator=torch.Generator().manual_seed(7)) * torch.logspace(-2, 2, 300)[:, None]
    weight[:, 9] *= 100
    parts = QuantileInt6().encode("w", weight, {}, Ledger())
    for row, codes, stored in zip(weight.numpy(), parts["codes"].numpy(), parts["step"].float().numpy(), strict=True):
        clip = np.quantile(np.abs(row).astype(np.float64), 0.9999984)
        step = max(clip / 31, 1 / 31)
        assert stored == pytest.approx(step, rel=1e-3)
        assert np.abs(codes - np.round(np.clip(row, -clip, clip) / step)).max() <= 1
    assert parts["codes"].abs().max() == 31


def test_classes_come_from_the_setting():
    made = tensor_recipes(SimpleNamespace(int6_classes="attn, mlp,embed", int6_clip="quantile"))
    assert sorted(made) == ["attn", "embed", "mlp"] and made["attn"].target is QuantileInt6
