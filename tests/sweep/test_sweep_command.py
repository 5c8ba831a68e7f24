"""`pgolf sweep` as a whole, without Ray: resuming, the report, errors of one line; and with it, in processes of their own."""

import json

import pytest
from click.testing import CliRunner
from sweeps import TOML, in_turn, sweep, write

from pgolf.cli.main import main
from pgolf.sweep import cluster
from pgolf.sweep.store import Store


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_sweep_goes_on_and_repeats_nothing(tmp_path):
    path = write(tmp_path)
    first, said = sweep(path, tmp_path / "out", in_turn(3))
    assert [done for done, _ in said] == [1, 2, 3] and len(first.rows) == 3 and first.first_seconds is not None
    second, said = sweep(path, tmp_path / "out", in_turn())
    assert [done for done, _ in said] == [4] and len(second.kept) == 3 and second.best.point["num_layers"] == 2
    third, _ = sweep(path, tmp_path / "out", in_turn())
    assert third.rows == [] and len(third.kept) == 4
    wider, _ = sweep(write(tmp_path, TOML.replace("[2, 3]", "[2, 3, 4]")), tmp_path / "out", in_turn())
    assert len(wider.rows) == 2, "a wider space keeps what is there"
    other, _ = sweep(write(tmp_path, TOML + "iterations = 5\n"), tmp_path / "out", in_turn())
    assert len(other.rows) == 4 and len(Store(tmp_path / "out").rows()) == 10, "other options, other trials"


def test_failed_trials_are_tried_again_and_stopped_ones_are_not(tmp_path):
    path = write(tmp_path)
    first, _ = sweep(path, tmp_path / "out", in_turn(state="failed"))
    assert len(first.failed) == 4 and first.best is None
    second, _ = sweep(path, tmp_path / "out", in_turn(state="stopped"))
    assert len(second.rows) == 4 and second.failed == []
    assert sweep(path, tmp_path / "out", in_turn())[0].rows == []


def test_what_does_not_fit_is_not_the_best(tmp_path):
    found, _ = sweep(write(tmp_path), tmp_path / "out", in_turn(size=17_000_000))
    assert found.best is None


def pgolf(*words, status=0):
    done = CliRunner().invoke(main, [*map(str, words)], catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done


def test_the_command_and_its_report(tmp_path, monkeypatch):
    write(tmp_path)
    monkeypatch.setattr(cluster, "run_on_ray", in_turn())
    monkeypatch.setattr(cluster, "check_installed", lambda: None)
    done = pgolf("sweep", "sweep.toml", "-o", "out")
    assert "best that fits: 1.200000 BPB" in done.stdout and "4: finished, 1.3000 BPB" in done.stderr
    assert (tmp_path / "out/sweep.html").read_text().count("<polyline") == 4
    again = json.loads(pgolf("sweep", "run", "sweep.toml", "-o", "out", "--json").stdout)
    assert (again["kept"], again["ran"], again["failed"], again["best"]["val_bpb"]) == (4, 0, 0, 1.2)
    report = json.loads(pgolf("sweep", "report", "out", "--html", "p.html", "--json").stdout)
    assert len(report["trials"]) == 4 and (tmp_path / "p.html").is_file()
    assert "1.300000" in pgolf("sweep", "report", "out").stdout
    monkeypatch.setattr(cluster, "run_on_ray", in_turn(state="failed"))
    pgolf("sweep", "sweep.toml", "-o", "other", status=1)


def test_errors_are_one_line(tmp_path, monkeypatch):
    write(tmp_path)
    (tmp_path / "empty").mkdir()
    assert "there is no sweep.sqlite" in pgolf("sweep", "report", "empty", status=2).stderr
    Store(tmp_path / "empty")
    assert "has not begun" in pgolf("sweep", "report", "empty", status=2).stderr
    assert "does not exist" in pgolf("sweep", "nothing.toml", status=2).stderr
    monkeypatch.setattr(cluster.importlib.util, "find_spec", lambda name: None if name == "ray" else object())
    done = pgolf("sweep", "sweep.toml", status=2)
    assert (
        "pgolf sweep needs ray, which is not installed" in done.stderr and "pip install 'pgolf[sweep]'" in done.stderr
    )
    assert len(done.stderr.splitlines()) == 3, "the line, its place, and what to do"
    found = json.loads(pgolf("sweep", "sweep.toml", "--json", status=2).stdout)
    assert found["errors"][0]["code"] == "PG004"
