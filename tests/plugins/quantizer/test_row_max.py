import pytest
import torch
from pipeline_vectors import load_case

from pgolf import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.settings import SettingsView
from pgolf_plugins.quantizer.row_max import RowMax, row_grid, tensor_recipes


@pytest.mark.parametrize("name", ["Q4_intN_R15_a", "Q4_intN_R31_a"])
def test_codes_and_steps_are_those_of_the_public_script(name):
    case = load_case(name)
    codes, step = row_grid(case.inputs["W"], case.params["clip_range"])
    assert torch.equal(codes, case.outputs["q"]) and torch.equal(step, case.outputs["scale"])


@pytest.mark.parametrize("bits", [2, 5, 8])
def test_no_weight_is_further_than_half_a_step_away(bits):
    weight = torch.randn(260, 260, generator=torch.Generator().manual_seed(1))
    weight[3] = 0
    recipe = RowMax(bits)
    parts = recipe.encode("w", weight, {}, Ledger())
    error = (recipe.decode("w", parts, torch.float32) - weight).abs()
    # The step is rounded to float16, which moves the largest code by up to R times half of its last place.
    assert (error <= parts["step"].float()[:, None] * (0.5 + recipe.top * 2**-11 + 1e-6)).all()
    assert not parts["codes"][3].any()


def test_bits_of_each_class():
    def recipes(bits):
        return tensor_recipes(SettingsView({"row_max_bits": bits}, {"row_max"}))

    assert {name: item.arguments["bits"] for name, item in recipes("attn:6, mlp:5").items()} == {"attn": 6, "mlp": 5}
    for wrong in ("attn", "attn:9", "attn:x", ""):
        with pytest.raises(PgolfError, match="2 to 8 bits"):
            recipes(wrong)
