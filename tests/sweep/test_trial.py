"""One trial: marks of equal clock, what is in its row, and what goes wrong in it."""

from dataclasses import replace
from pathlib import Path

import pytest
from models import registry
from sweeps import TOML, write

from pgolf.run.data import DataPaths
from pgolf.sweep import trial as module
from pgolf.sweep.spec import Stop, load_spec
from pgolf.sweep.sweep import Wishes, make_job
from pgolf.sweep.trial import Marks, fingerprint_of, run_trial
from pgolf.testing import MICRO, make_data

SMALL = {name: value for name, value in MICRO.items() if name not in ("num_layers", "val_loss_every")}


def job_of(tmp_path, text=TOML, **changes):
    spec = load_spec(write(tmp_path, text))
    job = make_job(spec, Wishes(tmp_path / "sweep.toml"), registry(), tmp_path / "out")
    return replace(job, **changes)


def test_marks_are_at_equal_clock():
    marks = Marks(Stop(1.0, 2.0, "seconds", 5))
    assert marks.line("step:5/20 train_loss:3.0 train_time:9000ms step_avg:1ms") == []
    assert marks.line("step:5/20 val_loss:4.0 val_bpb:3.0000 train_time:500ms step_avg:1ms") == []
    assert marks.line("step:10/20 val_loss:4.0 val_bpb:2.0000 train_time:1500ms step_avg:1ms") == [(1.0, 2.5)]
    assert marks.line("step:15/20 val_loss:4.0 val_bpb:1.0000 train_time:5500ms step_avg:1ms") == [
        (2.0, 1.875),
        (4.0, 1.375),
    ]
    assert marks.line("step:16/20 val_loss:4.0 val_bpb:0.9000 train_time:5600ms step_avg:1ms") == []


def test_marks_by_steps_and_a_first_validation_past_the_mark():
    marks = Marks(Stop(10, 3.0, "steps", 5))
    assert marks.line("step:12/99 val_loss:4.0 val_bpb:3.0000 train_time:0ms step_avg:1ms") == [(10, 3.0)]
    assert marks.line("step:12/99 val_loss:4.0 val_bpb:2.0000 train_time:0ms step_avg:1ms") == []


def test_what_makes_two_trials_one(tmp_path):
    job = job_of(tmp_path)
    point = {"num_layers": 2, "plugins.average": ""}
    assert job.key(point) == job.key(dict(reversed(point.items()))) != job.key({**point, "num_layers": 3})
    for change in ({"seeds": (1,)}, {"nproc": 2}, {"iterations": 5}, {"sources": "x"}, {"data": Path("/x")},
                   {"recipe": replace(job.recipe, settings={"num_heads": 2})}):  # fmt: skip
        assert fingerprint_of(replace(job, **change)) != job.fingerprint, change
    wider = load_spec(write(tmp_path, TOML.replace("[2, 3]", "[2, 3, 4]")))
    assert make_job(wider, Wishes(tmp_path), registry(), tmp_path / "elsewhere").fingerprint == job.fingerprint


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A job on a corpus that takes a second to make, with its data."""
    (tmp_path / "corpus").mkdir()
    made = make_data(tmp_path / "corpus")
    monkeypatch.setattr(module, "find_job_data", lambda *rest: DataPaths(made.data_path, made.tokenizer_path))
    return job_of(tmp_path, recipe=replace(job_of(tmp_path).recipe, settings=SMALL, fixed=frozenset(SMALL)))


@pytest.mark.ci
def test_a_whole_trial(small):
    """Really trained, with marks on the way."""
    job, seen = replace(small, stop=Stop(2, 2.0, "steps", 1)), []
    row = run_trial(job, {"num_layers": 2, "plugins.average": "ema"}, registry(), lambda *mark: seen.append(mark))
    assert row.problem == "" and row.state == "finished" and row.steps == 4
    assert [clock for clock, _ in seen] == [2, 4] and row.marks == [list(mark) for mark in seen]
    assert row.val_bpb == row.scores["1337"] and row.bytes_total > row.code_bytes > 5000
    assert row.trial_seconds >= row.run_seconds > 0 and row.key == job.key(row.point)
    assert (job.folder / row.folder / "logs/train_seed1337.log").is_file()


class Stopped(Exception):
    pass


@pytest.mark.ci
def test_a_trial_that_is_stopped_ends_its_program(small):
    def stop(clock, bpb):
        raise Stopped

    with pytest.raises(Stopped):
        run_trial(replace(small, stop=Stop(1, 2.0, "steps", 1)), {"num_layers": 2}, registry(), stop)


def test_what_goes_wrong_is_in_the_row(small, monkeypatch):
    row = run_trial(replace(small, sources="other"), {"num_layers": 2}, registry(), print)
    assert row.state == "failed" and "has other sources" in row.problem
    row = run_trial(small, {"num_layers": 2, "plugins.a": "lzma+brotli"}, registry(), print)
    assert row.state == "failed" and row.problem and row.val_bpb is None
    monkeypatch.setattr(module, "train", lambda row, *rest: None)
    row = run_trial(small, {"num_layers": 2, "ema_decay": 0.9}, registry(), print)
    assert row.key == small.key({"num_layers": 2}) and row.point == {"num_layers": 2}, "nothing here has ema_decay"


@pytest.mark.ci
def test_a_trial_whose_bytes_are_forecast_over_the_cap_is_not_trained(tmp_path, monkeypatch):
    from types import SimpleNamespace

    job = job_of(tmp_path, forecast=True)
    found = SimpleNamespace(fits=False, certain=True, total=17_000_000, cap=16_000_000)
    monkeypatch.setattr("pgolf.forecast.forecast.forecast", lambda *rest: found)
    row = run_trial(job, {"num_layers": 2}, registry(), print)
    assert (row.state, row.bytes_total) == ("over", 17_000_000) and "1,000,000 over the cap" in row.problem
    assert not (job.folder / row.folder).exists()
    found.certain = False
    monkeypatch.setattr(module, "train", lambda row, *rest: setattr(row, "state", "finished"))
    assert run_trial(job, {"num_layers": 2}, registry(), print).state == "finished"
