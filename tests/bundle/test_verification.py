"""The check after every pass: order kept, no name captured, none lost."""

import ast

import pytest
from test_settings_specialization import flat

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.program import Program
from pgolf.bundle.verification import verify
from pgolf.errors import PgolfError


def test_the_check_sees_a_captured_name_and_a_lost_statement():
    before = flat("def run(settings, program):\n    value = 3\n    return value\n")
    wrong = flat("def run(settings, program):\n    return value\n")
    for after in (wrong, Flat(before.statements[:-1])):
        with pytest.raises(PgolfError) as caught:
            verify("some-pass", Program.of(before).all_facts(), Program.of(after))
        assert caught.value.code == "PG401" and "some-pass" in str(caught.value)


@pytest.mark.parametrize(
    ("added", "wrong"),
    [("fresh_2 = 3", False), ("value = 3", True), ("fresh_2 = value", True), ("fresh_2 = unknown", True)],
)
def test_the_check_lets_only_new_names_in(added, wrong):
    before = flat("def run(settings, program):\n    value = 3\n    return value\n")
    after = Flat((*before.statements[:-1], Owned("records", ast.parse(added).body[0]), before.statements[-1]))
    if not wrong:
        verify("some-pass", Program.of(before).all_facts(), Program.of(after))
        return
    with pytest.raises(PgolfError) as caught:
        verify("some-pass", Program.of(before).all_facts(), Program.of(after))
    assert caught.value.code == "PG401" and "some-pass" in str(caught.value)


def test_the_check_sees_statements_that_moved():
    before = flat("def run(settings, program):\n    return 1\n")
    first, second, *rest = before.statements
    with pytest.raises(PgolfError):
        verify("some-pass", Program.of(before).all_facts(), Program.of(Flat((second, first, *rest))))
