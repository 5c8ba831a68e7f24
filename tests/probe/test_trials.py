"""Records are read as data; the claim is the last printed score with a ledger."""

import json

import numpy as np
import pytest

from pgolf.probe.trials import BadRecord, Ledger, Trial, as_nats, bounded, ledger_from, read_trial, small_json

BIRTHS = np.stack([np.arange(1.0, 11), np.ones(10), np.zeros(10), np.arange(10.0), np.zeros(10)])


def report(text):
    return {"at": 5, "value": float(text), "text": text, "lines": [3]}


def test_scores_are_told_in_nats_whatever_the_unit():
    own = np.linspace(1.0, 2.0, 50)
    for share in (1.0, 1.4427, 0.9):
        scores, found = as_nats(own * share, own)
        assert np.allclose(scores, own) and found == pytest.approx(share)
    mixed = own * np.linspace(0.5, 1.5, 50)
    assert as_nats(mixed, own)[1] == 1.0 and as_nats(mixed, np.zeros(50))[1] == 1.0


def test_a_negative_sum_of_logarithms_is_a_positive_score():
    rows = np.stack([np.arange(10.0), -np.ones(10), np.full(10, -0.1)])
    assert np.allclose(ledger_from(report("1.0"), rows, BIRTHS).scores, 1.0)
    with pytest.raises(BadRecord):
        ledger_from(report("1.0"), np.full((3, 2), 10.0), BIRTHS)


def test_the_claim_is_the_last_result():
    rows = np.stack([np.arange(10.0), np.ones(10), np.full(10, 0.1)])
    ledgers = [ledger_from(report(text), rows, BIRTHS) for text in ("2.0000", "1.0000")]
    trial = Trial(
        "t", "", births=BIRTHS, ledgers=ledgers, printed="val_loss:2.0000 val_bpb:3.0\nval_loss:1.0000 val_bpb:1.5\n"
    )
    assert trial.claim is ledgers[1] and trial.claimed == (1.0, 1.5)
    trial = Trial("t", "", births=BIRTHS, ledgers=ledgers[:1], printed="val_loss:1.0000")
    assert trial.claim is None and isinstance(ledgers[0], Ledger) and trial.claimed is None


def test_files_that_are_none(tmp_path):
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert bounded(tmp_path / "link", 10) == b"" and small_json(tmp_path / "no") == {}
    (tmp_path / "deep.json").write_text("[" * 10_000)
    assert small_json(tmp_path / "deep.json") == {} and "was not run" in read_trial("t", tmp_path).error


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\x93NUMPY", b"text"])
def test_a_record_that_is_no_archive_is_an_error_of_the_trial(tmp_path, data):
    (tmp_path / "outcome.json").write_text('{"seconds": 1.0, "memory": 1, "status": 0}')
    (tmp_path / "record.json").write_text('{"reports": [], "events": [], "artifacts": {}, "choices": {}}')
    (tmp_path / "record.npz").write_bytes(data)
    assert "left a record that cannot be read" in read_trial("t", tmp_path).error


GOOD = {"kind": "compare", "at": 3, "positions": 9, "some": [1, 2], "births": [0, 4], "line": 5, "number": 1}
LEARNT = {"kind": "gradient", "at": 3, "positions": [1], "leaves": [[4, 4]], "line": 5}


def read(folder, births=BIRTHS, outcome='{"seconds": 1.0, "memory": 1, "status": 0}', **record):
    (folder / "outcome.json").write_text(outcome)
    whole = {"reports": [], "events": [GOOD, LEARNT], "artifacts": {}, "choices": {}, **record}
    (folder / "record.json").write_text(json.dumps(whole))
    np.savez(folder / "record.npz", births=births)
    return read_trial("t", folder)


def test_a_good_record(tmp_path):
    found = read(tmp_path)
    assert found.error == "" and found.of("compare") == [GOOD] and found.births.shape == (5, 10)


@pytest.mark.parametrize(
    "record",
    [
        {"events": [{"kind": "gradient"}]},
        {"events": [GOOD | {"kind": []}]},
        {"events": [GOOD | {"kind": "other"}]},
        {"events": [GOOD | {"some": [1, "2"]}]},
        {"events": [GOOD | {"births": [10**12]}]},
        {"events": [GOOD | {"at": "3"}]},
        {"events": [LEARNT | {"positions": [None]}]},
        {"events": [LEARNT | {"leaves": [3]}]},
        {"events": 3},
        {"artifacts": []},
        {"choices": {"x": 1}},
        {"reports": [1]},
        {"births": np.full((5, 3), 1e12)},
        {"births": np.full((5, 3), np.nan)},
        {"births": np.zeros((5, 3), "<U3")},
    ],
)
def test_a_record_that_somebody_made_up(tmp_path, record):
    found = read(tmp_path, **record)
    assert "left a record that cannot be read" in found.error and found.events == []


@pytest.mark.parametrize("outcome", ['{"seconds": "x", "memory": []}', '{"seconds": -1e999, "memory": NaN}', "[]"])
def test_an_outcome_that_somebody_made_up(tmp_path, outcome):
    found = read(tmp_path, outcome=outcome)
    assert (found.seconds, found.memory) == (0.0, 0)
