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
from pgolf_plugins.quantizer.fp16_keep import Half, quantization_plan

RECORDS = (
    Param("tok_emb.weight", (300, 260), "embed", "embed", zeros),
    Param("blocks.{}.attn.c_k.weight", (300, 260), "matrix", "attn", zeros, layers=10),
    Param("mtp.c_k.weight", (300, 260), "matrix", "attn", zeros, export="drop"),
)


def made(patterns):
    return quantization_plan(SettingsView({"fp16_keep_name_patterns": patterns}, {"fp16_keep"}))


def test_what_matches_comes_back_to_float16_and_nothing_else_does():
    """The record kept tok_emb and blocks.8.attn.c_k; an earlier plan gives way, and what is dropped stays dropped."""
    generator = torch.Generator().manual_seed(1)
    names = [name for record in RECORDS for name in record.stored_names()]
    state = {name: torch.randn(300, 260, generator=generator) for name in names}
    recipes = {key: SpreadRecipe("sdclip", "int4", 7, 12.85, (), nearest_codes) for key in ("attn", "embed")}
    program = SimpleNamespace(
        tensor_recipes={**recipes, "fp16": Half()},
        fit=None,
        corrections=(),
        tensor_transforms=(),
        grouped=(),
        quantization_plan=(
            lambda state, statistics, ledger: dict.fromkeys(state, "embed"),
            instance(made("tok_emb,blocks.8.attn.c_k,mtp")),
        ),
    )
    ledger = Ledger()
    encoded = encode_model(state, RECORDS, program, {}, ledger)
    assert "mtp.c_k.weight" not in encoded and ledger.receipt("fp16_keep") == "3 tensors"
    found = {name: torch.zeros(300, 260) for name in state}
    decode_model(encoded, found, RECORDS, program)
    for name in encoded:
        kept = torch.equal(found[name], state[name].half().float())
        assert kept == (name in ("tok_emb.weight", "blocks.8.attn.c_k.weight")), name


def test_a_pattern_that_fits_nothing_is_refused_before_training():
    session = SimpleNamespace(parameters=RECORDS)
    assert instance(made("c_k,tok_emb")).prepare(session) is None
    with pytest.raises(ValueError, match=r"'blocks\.10\.' is in no tensor's name, such as tok_emb"):
        instance(made("tok_emb,blocks.10.")).prepare(session)


def test_patterns_are_read():
    assert made("tok_emb, blocks.8.attn.c_k,").arguments["patterns"] == ("tok_emb", "blocks.8.attn.c_k")
    with pytest.raises(PgolfError, match="at least one part of a name"):
        made(" ,")
