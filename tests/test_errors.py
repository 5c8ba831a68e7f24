"""Codes, and the one exception that users see."""

import re

import pytest

from pgolf.errors import CODES, PgolfError, PgolfErrors, raise_all


def test_codes_have_a_number_of_their_own_and_one_line():
    assert all(re.fullmatch(r"PG[0-5]\d\d", code) for code in CODES) and list(CODES) == sorted(CODES)
    assert len(set(CODES.values())) == len(CODES)
    assert all(text and "\n" not in text and not text.endswith(".") for text in CODES.values())


def test_a_code_that_is_in_no_table_is_a_defect():
    with pytest.raises(AssertionError):
        PgolfError("PG999", "no")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, "error[PG004]: seen"),
        ({"where": "a.toml: x"}, "error[PG004]: seen\n  --> a.toml: x"),
        ({"hint": "do it"}, "error[PG004]: seen\n  help: do it"),
        ({"where": "a", "frame": "  1 | x", "hint": "h"}, "error[PG004]: seen\n  --> a\n  1 | x\n  help: h"),
    ],
)
def test_what_a_user_reads(given, shown):
    assert str(PgolfError("PG004", "seen", **given)) == shown


def test_the_same_for_machines():
    record = PgolfError("PG004", "seen", "a", "do it", "frame").as_record()
    assert record == {"code": "PG004", "message": "seen", "where": "a", "help": "do it"}


def test_one_finding_is_raised_as_itself_and_several_together():
    one, two = PgolfError("PG001", "one"), PgolfError("PG002", "two", "b")
    raise_all([])
    with pytest.raises(PgolfError) as caught:
        raise_all([one])
    assert caught.value is one
    with pytest.raises(PgolfErrors) as both:
        raise_all([one, two])
    assert both.value.findings == [one, two] and both.value.code == "PG001" and str(both.value) == f"{one}\n{two}"
