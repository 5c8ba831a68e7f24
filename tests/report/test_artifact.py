"""Bytes of an artifact by tensor: they add up, and follow what parts hold."""

import pytest
import torch
from models import resolved

from pgolf.errors import PgolfError
from pgolf.forecast.size import encode_stand_ins
from pgolf.forecast.weights import expected_walks
from pgolf.report.artifact import artifact_items, shares, weight
from pgolf.resolve import load_entry
from pgolf.runtime.export import pack_artifact
from pgolf.runtime.ledger import Ledger
from pgolf.testing import MICRO


class Made:
    """As much of a build as is needed."""

    def __init__(self, *names):
        self.resolved = resolved(*names, **MICRO)


def artifact(made):
    """Bytes of what such a program would pack."""
    module = load_entry(made.resolved.entry)
    program, parameters = module.make_program(), module.make_parameters()
    walks = expected_walks(program, parameters, made.resolved.selection.settings.as_dict(), 4, 0.0)
    return pack_artifact(encode_stand_ins(program, parameters, walks)[0], program, Ledger())


def test_the_bytes_of_all_parts_are_those_of_the_artifact(tmp_path):
    made, path = Made(), tmp_path / "final_model.int8.ptz"
    path.write_bytes(artifact(made))
    items = artifact_items(made, path)
    assert sum(item.size for item in items) == pytest.approx(path.stat().st_size, abs=len(items))
    assert {"attn.c_q", "mlp.fc", "outside the blocks"} <= {item.group for item in items}
    assert {item.name for item in items} >= {"tok_emb.weight kept"}


def test_a_damaged_artifact_is_an_error(tmp_path):
    made, path = Made(), tmp_path / "final_model.int8.ptz"
    for data in (b"", b"junk" * 99, artifact(made)[:-9]):
        path.write_bytes(data)
        with pytest.raises(PgolfError) as error:
            artifact_items(made, path)
        assert error.value.code == "PG501" and "\n" not in error.value.message


def test_what_varies_more_weighs_more():
    same, coin = torch.zeros(800, dtype=torch.int8), torch.arange(800).remainder(2).to(torch.int8)
    assert weight(same) == 64 and weight(coin) == pytest.approx(864)
    assert weight(torch.zeros(0)) == 64 and weight(torch.randn(100)) > weight(torch.zeros(100))
    items = shares({"a": {"codes": same}, "b": {"codes": coin}}, 928)
    assert [(item.name, item.size) for item in items] == [("a codes", 64), ("b codes", 864)]
