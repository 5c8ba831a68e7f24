import pytest

import pgolf
from pgolf.runtime import records
from pgolf.runtime.records import Group, Param, Phase


def test_the_records_of_plugins_are_those_of_the_running_program():
    assert (pgolf.Param, pgolf.Group, pgolf.Phase) == (records.Param, records.Group, records.Phase)


@pytest.mark.parametrize(
    ("record", "names"),
    [
        (Param("smear.gate", (4,), "scalar", "control"), ["smear.gate"]),
        (Param("blocks.{}.x", (), "scalar", "control", layers=2), ["blocks.0.x", "blocks.1.x"]),
        (Param("qo_bank", (4, 2, 2), "matrix", "attn", members=("blocks.{}.q", "blocks.{}.o")), ["qo_bank"]),
    ],
)
def test_stored_names(record, names):
    assert record.stored_names() == names


@pytest.mark.parametrize("record", [Param, Group, Phase])
def test_every_field_is_documented(record):
    documented = {line.split(":")[0].strip() for line in record.__doc__.splitlines() if ":" in line}
    assert set(record._fields) <= documented


def test_the_declaring_plugin_is_filled_in_last():
    assert Param("x", (), "g", "q").plugin == Phase("p", None).plugin == ""
