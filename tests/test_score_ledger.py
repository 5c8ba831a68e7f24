"""Score ledgers: what a run writes is read back, and what is wrong in one is found."""

import numpy
import pytest

from pgolf.score_ledger import NEVER, ScoreLedger, read_score_ledger


def ledger(scored, learned):
    return ScoreLedger(numpy.array(scored, numpy.int32), numpy.array(learned, numpy.int32))


@pytest.mark.parametrize(
    ("scored", "learned", "problems"),
    [
        ([0, 1, 1, 2], [NEVER] * 4, []),
        ([0, 1, 1, 2], [2, 2, 2, NEVER], []),
        ([0, 1, 0, 2], [NEVER] * 4, ["1 targets are not scored, the first at 2"]),
        ([0, 0, 0, 2], [NEVER] * 4, ["2 targets are not scored, the first at 1"]),
        ([0, 1, 3, 2], [NEVER, 1, 2, NEVER], ["2 tokens are learnt from before they are scored, the first at 1"]),
        ([0, 1, 1, 2], [NEVER, NEVER, NEVER, 2], ["1 tokens are learnt from before they are scored, the first at 3"]),
    ],
)
def test_every_target_is_scored_and_before_anything_learns_from_it(scored, learned, problems):
    assert ledger(scored, learned).problems() == problems


def test_tokens_that_an_update_learnt_from():
    assert ledger([0, 1, 1], [2, NEVER, 3]).learned() == 2 and ledger([0], [NEVER]).learned() == 0


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "a.npz"
    scored, learned = numpy.array([0, 1, 2], numpy.int32), numpy.array([3, 3, NEVER], numpy.int32)
    numpy.savez_compressed(path, scored_at=scored, learned_at=learned)
    found = read_score_ledger(path)
    assert found.scored_at.tolist() == [0, 1, 2] and found.learned_at.tolist() == [3, 3, NEVER]
    numpy.savez_compressed(path, scored_at=scored)
    assert read_score_ledger(path).learned_at.tolist() == [NEVER] * 3


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"other": numpy.zeros(3, numpy.int32)}, "not a score ledger"),
        ({"scored_at": numpy.zeros(3, numpy.int64)}, "wanted int32"),
        ({"scored_at": numpy.zeros((2, 2), numpy.int32)}, "wanted int32"),
        ({"scored_at": numpy.zeros(0, numpy.int32)}, "wanted int32"),
        ({"scored_at": numpy.zeros(3, numpy.int32), "learned_at": numpy.zeros(2, numpy.int32)}, "has the shape"),
        ({"scored_at": numpy.array([object()])}, "not a score ledger"),
    ],
)
def test_other_arrays_are_refused(tmp_path, arrays, said):
    numpy.savez_compressed(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=said):
        read_score_ledger(tmp_path / "a.npz")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x04", b"text"])
def test_damaged_files_are_refused(tmp_path, data):
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(ValueError, match="not a score ledger"):
        read_score_ledger(tmp_path / "a.npz")
    with pytest.raises(FileNotFoundError):
        read_score_ledger(tmp_path / "missing.npz")
