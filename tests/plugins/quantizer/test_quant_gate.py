import pytest
import torch
from pipeline_vectors import load_case

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.quantizer.quant_gate import GateRecipe, plan_gates


@pytest.mark.parametrize("name", ["Q20_gate_dense", "Q20_gate_sparse"])
def test_codes_and_steps_are_those_of_the_public_script(name):
    case = load_case(name)
    parts = GateRecipe().encode("blocks.0.attn.attn_gate_w", case.inputs["W"], {}, Ledger())
    assert torch.equal(parts["codes"], case.outputs["q"]) and torch.equal(parts["step"], case.outputs["scale"])
    decoded = GateRecipe().decode("", parts, torch.float32)
    torch.testing.assert_close(decoded, case.outputs["dequant"], rtol=0, atol=0)


def test_rows_of_zeros_stay_zero():
    weight = torch.randn(4, 12, generator=torch.Generator().manual_seed(1))
    weight[2] = 0
    recipe = GateRecipe()
    decoded = recipe.decode("", recipe.encode("g", weight, {}, Ledger()), torch.float32)
    assert decoded.isfinite().all() and not decoded[2].any()


def test_gates_of_the_right_size_are_planned():
    state = {
        "blocks.0.attn.attn_gate_w": torch.zeros(8, 12),
        "blocks.1.attn.attn_gate_w": torch.zeros(8, 2048),
        "blocks.2.attn.attn_gate_w": torch.zeros(2, 8),
        "blocks.0.attn.c_q.weight": torch.zeros(8, 12),
        "blocks.3.attn.attn_gate_w": torch.zeros(96),
    }
    assert plan_gates(state, {}, Ledger()) == {"blocks.0.attn.attn_gate_w": "gate"}
