from types import SimpleNamespace

import pytest
import torch
from pipeline_vectors import load_case

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.progress import measure_progress
from pgolf.runtime.quantize import dequantize, int6_grid
from pgolf_plugins.quantizer.bank_qat import PLUGIN, bank_qat_starts, fake_quantize, phases, weight_taps


def context(training=True, on=("bank_qat",)):
    """The part of a forward's context that the tap reads; `counted` collects receipts."""
    ledger = Ledger()
    return SimpleNamespace(training=training, phases=on, fired=ledger.count, ledger=ledger)


@pytest.mark.parametrize("name", ["Q8_bank_qat_fp32_a", "Q8_bank_qat_bf16_a"])
def test_forward_and_gradient(name):
    case, ctx = load_case(name), context()
    weight = case.inputs["W"].clone().requires_grad_()
    forward = fake_quantize(None, weight, "mlp.fc", 0, 0, ctx, half=False)
    assert forward.dtype == weight.dtype
    torch.testing.assert_close(forward.detach(), case.outputs["W_fwd"], rtol=1e-6, atol=1e-7)
    (forward.float() * case.inputs["G"]).sum().backward()
    assert torch.equal(weight.grad, case.outputs["grad"])
    assert ctx.ledger.receipt("bank_qat") == "1 matrices"


def test_training_sees_the_exporters_grid():
    weight = torch.randn(12, 50, generator=torch.Generator().manual_seed(4)) * 3
    forward = fake_quantize(None, weight, "attn.c_q", 3, 0, context(), half=True)
    codes, step = int6_grid(weight, half=True)
    torch.testing.assert_close(forward, dequantize(codes, step, torch.float32), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("ctx", [context(training=False), context(on=("loop",))])
def test_off_outside_its_phase_and_outside_training(ctx):
    weight = torch.randn(4, 4)
    assert fake_quantize(None, weight, "attn.c_q", 0, 0, ctx, half=True) is weight
    assert ctx.ledger.receipt("bank_qat") == ""


def test_the_phase_starts_below_the_threshold():
    (phase,) = phases(SimpleNamespace(late_qat_threshold=0.15))
    assert (phase.name, phase.scoring, phase.start.target) == ("bank_qat", False, bank_qat_starts)
    progress = measure_progress(5, 10, 0.0, 0.0)
    assert not bank_qat_starts(progress._replace(lr_mul=0.15), threshold=0.15)
    assert bank_qat_starts(progress._replace(lr_mul=0.149), threshold=0.15)


def test_settings_reach_the_tap():
    assert weight_taps(SimpleNamespace(bank_qat_step="float16")).arguments == {"half": True}
    assert weight_taps(SimpleNamespace(bank_qat_step="float32")).arguments == {"half": False}
    assert PLUGIN.requires == ("banks", "int6|gptq_lite|clip_search") and not PLUGIN.conflicts[0].hard


def test_one_graph_without_breaks():
    weight = torch.randn(8, 8)
    ctx = SimpleNamespace(training=True, phases=("bank_qat",), fired=lambda plugin, unit: None)
    compiled = torch.compile(
        lambda w: fake_quantize(None, w, "mlp.fc", 0, 0, ctx, True), backend="eager", fullgraph=True
    )
    assert torch.equal(compiled(weight), fake_quantize(None, weight, "mlp.fc", 0, 0, ctx, True))
