"""`pgolf train`."""

import json

import pytest
from commands import pgolf
from folders import PROGRAM, make_data, make_folder

pytestmark = pytest.mark.usefixtures("in_a_folder")


def test_train_runs_each_seed(tmp_path):
    folder, data = make_folder(tmp_path / "toy", trained=False), make_data(tmp_path / "data")
    done = pgolf("train", folder, "--data", data, "--seeds", "5,6,5", "--json")
    document = json.loads(done.stdout)
    assert [run["seed"] for run in document["runs"]] == [5, 6] and document["runs"][0]["problem"] == ""
    assert (folder / "logs/train_seed6.log").is_file() and "step:1/2" in done.stderr
    text = pgolf("train", folder, "--data", data, "--seeds", "5").stdout
    assert "train_seed5.log" in text


def test_train_reports_a_failure(tmp_path):
    code = PROGRAM.replace('say("receipt beta: 1 layers")', 'sys.exit("error: plugin beta did nothing")')
    folder, data = make_folder(tmp_path / "toy", code.encode(), trained=False), make_data(tmp_path / "data")
    done = pgolf("train", folder, "--data", data, "--seeds", "5,6", status=1)
    assert "error[PG005]: seed 5: error: plugin beta did nothing" in done.stderr
    assert not (folder / "logs/train_seed6.log").exists()


def test_train_refuses_before_it_starts(tmp_path):
    folder, data = make_folder(tmp_path / "toy", trained=False), make_data(tmp_path / "data")
    (tmp_path / "empty").mkdir()
    assert "PG001" in pgolf("train", tmp_path / "empty", "--data", data, status=2).stderr
    assert "PG001" in pgolf("train", folder, "--data", tmp_path / "empty", status=2).stderr
    pgolf("train", folder, "--seeds", "x", status=2)
    pgolf("train", folder, "--nproc", "3", status=2)
    (folder / "train_gpt.py").write_text("changed")
    assert "PG505" in pgolf("train", folder, "--data", data, status=2).stderr
    assert not (folder / "logs").exists()
