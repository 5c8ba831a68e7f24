"""Every check can be explained; a name that is none is told the nearest."""

import pytest

from pgolf.errors import PgolfError
from pgolf.verify.check_explanation import explain
from pgolf.verify.report import all_checks


def test_every_check():
    for item in all_checks():
        lines = explain(item.id)
        assert item.statement in lines[0] and item.source in "\n".join(lines)
    assert any("--probe substitution" in line for line in explain("rule.normal"))
    assert len(explain("rule")) > len(explain("rule.normal"))


def test_a_name_that_is_none():
    with pytest.raises(PgolfError) as error:
        explain("rule.norml")
    assert "rule.normal" in error.value.hint
