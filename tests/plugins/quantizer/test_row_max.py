import pytest
import torch
from models import built
from pipeline_vectors import load_case

from pgolf import Param, PgolfError
from pgolf.runtime.export import encode_model
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import zeros
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
    recipe = RowMax(bits, 65536)
    parts = recipe.encode("w", weight, {}, Ledger())
    error = (recipe.decode("w", parts, torch.float32) - weight).abs()
    # The step is rounded to float16, which moves the largest code by up to R times half of its last place.
    assert (error <= parts["step"].float()[:, None] * (0.5 + recipe.top * 2**-11 + 1e-6)).all()
    assert not parts["codes"][3].any()


def test_bits_of_each_class():
    def recipes(bits):
        kept = {"row_max_kept": 65536, "row_max_controls": False}
        return tensor_recipes(SettingsView({"row_max_bits": bits, **kept}, {"row_max"}))

    assert {name: item.arguments["bits"] for name, item in recipes("attn:6, mlp:5").items()} == {"attn": 6, "mlp": 5}
    for wrong in ("attn", "attn:9", "attn:x", ""):
        with pytest.raises(PgolfError, match="2 to 8 bits"):
            recipes(wrong)


def test_the_tensors_of_the_record_by_size_name_and_class():
    """In order: small ones and small controls in float16, larger controls in float32, kept names, classes, int8."""
    made = built(
        "row_max", "fp16_keep", row_max_kept=8192, row_max_controls=True, fp16_keep_name_patterns="tok_emb,c_k"
    )
    sizes = {
        "blocks.0.attn_scale": ((64,), "control", "half"),
        "blocks.0.large_scale": ((9000,), "control", "float"),
        "tok_emb.weight": ((300, 256), "embed", "half"),
        "blocks.0.attn.c_k.weight": ((128, 256), "attn", "half"),
        "blocks.0.attn.c_q.weight": ((128, 256), "attn", 31),
        "blocks.0.attn.small.weight": ((32, 256), "attn", "half"),
        "blocks.0.mlp.fc.weight": ((128, 256), "mlp", 15),
        "bigram.proj.weight": ((128, 256), "aux", 31),
        "lm_head.weight": ((300, 256), "head", 127),
    }
    records = [Param(name, shape, "matrix", quant, zeros) for name, (shape, quant, _) in sizes.items()]
    generator = torch.Generator().manual_seed(1)
    state = {record.name: torch.randn(record.shape, generator=generator) for record in records}
    encoded = encode_model(state, records, made.program, {}, Ledger())
    for name, (_, _, wanted) in sizes.items():
        parts = encoded[name]
        kinds = {"half": torch.float16, "float": torch.float32}
        if wanted in kinds:
            assert parts["kept"].dtype == kinds[wanted], name
        else:
            assert parts["codes"].abs().max() == wanted, name
