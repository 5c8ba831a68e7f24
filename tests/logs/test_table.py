"""Runs side by side: rows, all of it for machines, and curves that a plot can show."""

import json
import math

import pytest
from folders import log_text

from pgolf.logs import parse_log
from pgolf.logs.record import RunRecord, TrainLine
from pgolf.logs.table import MOST_POINTS, curves, full, summary, thin


def test_a_row():
    row = summary(parse_log(log_text(b"code", seed=42, bpb=1.1, loss=2.2)))
    assert row.pop("label").startswith("final_int8_zlib_roundtrip")
    assert row == {
        **{"seed": 42, "family": "baseline", "steps": 2, "train_seconds": 0.02, "eval_seconds": 0.012, "runs": 1},
        **{"val_loss": 2.2, "val_bpb": 1.1, "total_bytes": 1004, "code_bytes": 4, "hardware": "toy CPU, 2 threads"},
    }


def test_a_text_that_is_no_run_has_a_row_of_nothing():
    row = summary(RunRecord())
    assert row["val_bpb"] is None and row["label"] == "" and row["train_seconds"] is None and row["total_bytes"] is None


def test_machines_get_everything():
    record = parse_log(log_text(b"code"))
    document = json.loads(json.dumps(full(record)))
    assert document["val_bpb"] == 1.25 and document["record"]["train"][0][2] == 3.0
    assert set(summary(record)) < set(document)


def test_curves_of_training_and_validation():
    record = parse_log(log_text(b"code"))
    found = curves({"a": record, "b": RunRecord()})
    assert [(curve.name, curve.kind) for curve in found] == [("a", "train"), ("a", "val")]
    assert found[0].points == [(1.0, 3.0)] and found[1].points == [(2.0, 2.5)]


@pytest.mark.parametrize("count", [0, 1, MOST_POINTS, MOST_POINTS + 1, 3 * MOST_POINTS + 7])
def test_points_are_thinned_and_the_last_one_stays(count):
    points = [(float(step), 1.0 + step) for step in range(count)]
    kept = thin(points)
    assert len(kept) <= MOST_POINTS + 1 and kept[-1:] == points[-1:] and kept[:1] == points[:1] and kept == sorted(kept)


def test_points_that_no_plot_can_show_go():
    assert thin([(1.0, math.nan), (2.0, 3.0), (3.0, math.inf), (4.0, 1e10)]) == [(2.0, 3.0)]
    record = RunRecord(train=[TrainLine(1, 2, math.nan, 0.0)])
    assert curves({"a": record})[0].points == []
