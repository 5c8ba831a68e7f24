"""What was too much to look at has not passed."""

import pytest

from pgolf.verify.checks_limits import check_limits
from pgolf.verify.evidence import TOO_LONG


class Looked:
    """A view that looked at all, but for what a test says."""

    def __init__(self, exceeded=(), cut="", logs=None):
        self.exceeded, self.cut, self.unreadable_logs = list(exceeded), cut, logs or {}


def test_a_folder_within_the_limits_passes():
    assert check_limits(Looked()).status == "PASS"


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (Looked(["a.log is not read: the folder holds more"]), "not all of it is judged: a.log is not read"),
        (
            Looked(cut="there are more than 20,000 files and folders; the rest is not looked at"),
            "there are more than 20,000",
        ),
        (Looked(logs={"a.log": TOO_LONG}), f"a.log {TOO_LONG}"),
        (Looked(["one", "two"], logs={"a.log": TOO_LONG}), "one (and 2 more)"),
        (Looked(["a\x1b[31m"]), "a\\x1b[31m"),
    ],
)
def test_anything_else_is_a_violation_that_says_what(view, said):
    found = check_limits(view)
    assert found.status == "" and said in found.message


def test_what_other_checks_say_is_not_said_again():
    assert check_limits(Looked(cut="the folder x cannot be read", logs={"a.log": "is missing"})).status == "PASS"


def test_reasons_are_kept_up_to_a_number():
    assert len(check_limits(Looked([str(number) for number in range(80)])).evidence["reasons"]) == 50
