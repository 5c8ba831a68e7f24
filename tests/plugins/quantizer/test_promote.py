from types import SimpleNamespace

import pytest
import torch

from pgolf import Param, PgolfError
from pgolf.runtime.export import decode_model, encode_model
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import zeros
from pgolf.runtime.quantize import SpreadRecipe, nearest_codes
from pgolf.settings import SettingsView
from pgolf.transforms import instance
from pgolf_plugins.quantizer.promote import quantization_plan

RECORDS = (
    Param("blocks.{}.mlp.proj.weight", (300, 260), "matrix", "mlp", zeros, layers=3),
    Param("blocks.{}.mlp.proj.gain", (260,), "scalar", "mlp", zeros, layers=3),
)


def made(patterns):
    return quantization_plan(SettingsView({"promote_name_patterns": patterns}, {"promote"}))


def test_chosen_matrices_are_nearer_and_the_decoder_knows_without_a_plan():
    generator = torch.Generator().manual_seed(1)
    state = {
        name: torch.randn(record.shape, generator=generator) for record in RECORDS for name in record.stored_names()
    }
    tops = (("high", 7, 63), ("mlp", 5, 15))
    recipes = {key: SpreadRecipe(key, f"int{bits}", top, 12.85, (), nearest_codes) for key, bits, top in tops}
    program = SimpleNamespace(
        tensor_recipes=recipes,
        fit=None,
        corrections=(),
        tensor_transforms=(),
        grouped=(),
        quantization_plan=(instance(made("blocks.1.")),),
    )
    ledger = Ledger()
    encoded = encode_model(state, RECORDS, program, {}, ledger)
    assert ledger.receipt("promote") == "1 matrices"
    found = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    program.quantization_plan = (pytest.fail,)
    decode_model(encoded, found, RECORDS, program)
    errors = [(found[name] - state[name]).square().mean().item() for name in RECORDS[0].stored_names()]
    # Two bits more: a sixteenth of the squared error.
    assert errors[1] == pytest.approx(errors[0] / 17.6, rel=0.15) and errors[2] == pytest.approx(errors[0], rel=0.1)


def test_patterns_are_read_and_held_to_the_names():
    assert made("blocks.0.mlp, c_k").arguments["patterns"] == ("blocks.0.mlp", "c_k")
    with pytest.raises(PgolfError, match="at least one part of a name"):
        made("")
    session = SimpleNamespace(parameters=RECORDS)
    assert instance(made("mlp.proj")).prepare(session) is None
    with pytest.raises(ValueError, match=r"'blocks\.7' is in no tensor's name"):
        instance(made("blocks.7")).prepare(session)
