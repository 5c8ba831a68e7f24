"""Score ledgers: what the runs of pgolf leave beside their logs decides two rules."""

import numpy
import pytest
from folders import edit, make_folder, outcome
from test_ledgers import arrays, packed

PLACE = "logs/train_seed1337.scores.npz"


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "toy")


def statuses(folder):
    return [outcome(folder, rule).status for rule in ("rule.onepass", "rule.scorefirst")]


def test_a_good_ledger_passes_two_rules(folder):
    (folder / PLACE).write_bytes(packed(**arrays()))
    assert statuses(folder) == ["PASS", "PASS"] and "8 tokens" in outcome(folder, "rule.scorefirst").message
    (folder / PLACE).rename(folder / "artifacts/x.npz")
    assert statuses(folder) == ["SKIP", "SKIP"]


def test_a_ledger_that_shows_a_violation_fails_in_any_folder(folder):
    bad = arrays()
    bad["scored_at"][9] = 0
    (folder / PLACE).write_bytes(packed(**bad))
    assert statuses(folder) == ["FAIL", "PASS"]
    bad = arrays()
    bad["learned_at"][9] = bad["scored_at"][9]
    (folder / PLACE).write_bytes(packed(**bad))
    (folder / "pgolf.lock").unlink()
    assert statuses(folder) == ["SKIP", "FAIL"]


def test_a_ledger_of_another_program_or_other_data_shows_nothing(folder):
    (folder / PLACE).write_bytes(packed(**arrays()))
    edit(folder / "train_gpt.py", "import hashlib", "import  hashlib")
    assert statuses(folder) == ["SKIP", "SKIP"]
    (folder / PLACE).write_bytes(packed(**arrays(tokens=32)))
    assert statuses(folder) == ["WARN", "WARN"]


@pytest.mark.parametrize(
    "data",
    [
        b"no archive",
        packed(other=numpy.zeros(3)),
        packed(scored_at=numpy.zeros(64)),
        packed(scored_at=numpy.zeros((8, 8), numpy.int32)),
        packed(**arrays(learned_at=numpy.zeros(3, numpy.int32))),
        packed(**arrays())[:-30],
        packed(scored_at=numpy.array(["x"], dtype=object)),
    ],
)
def test_files_that_are_no_ledger(folder, data):
    (folder / PLACE).write_bytes(data)
    assert statuses(folder) == ["WARN", "WARN"]
