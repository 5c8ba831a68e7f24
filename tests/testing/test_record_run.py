"""A recorded run: losses, artifact, state, scores and receipts of a program that is run as it is."""

import hashlib
import json
import os
import subprocess
import sys

import pytest

from pgolf.testing import record_run

PROGRAM = """
import pathlib, sys, torch
weight = torch.nn.Parameter(torch.ones(2))
for step in range(2):
    (weight * {factor}).sum().backward()
pathlib.Path("final_model.toy.ptz").write_bytes(b"{artifact}")
torch.save({{"w": torch.ones(2)}}, "final_model.pt")
pathlib.Path("logs").mkdir()
pathlib.Path("logs/run.txt").write_text(
    "final_exact val_bpb:1.25 eval_time:{ms}ms\\nother\\nreceipt toy: 3 steps, {ms}.5 seconds\\n")
sys.exit({status})
"""


def record(folder, factor=1.0, artifact="model", ms=3, status=0):
    folder.mkdir()
    (folder / "program.py").write_text(PROGRAM.format(factor=factor, artifact=artifact, ms=ms, status=status))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, record_run.__file__, "program.py", "out.json"], cwd=folder, env=env, check=True)
    return json.loads((folder / "out.json").read_text())


def test_everything_that_two_runs_must_agree_in(tmp_path):
    found = record(tmp_path / "a")
    assert len(found["losses"]) == 2 and found["losses"][0] == found["losses"][1]
    assert hashlib.sha256(b"model").hexdigest() in found["artifact"] and len(found["state"]) == 64
    assert found["final"] == ["final_exact val_bpb:1.25"] and found["receipts"] == {"toy": "3 steps, some seconds"}
    assert found["status"] in (0, None)


@pytest.mark.slow
def test_times_are_no_difference(tmp_path):
    assert record(tmp_path / "a") == record(tmp_path / "b", ms=9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "key"), [({"factor": 2.0}, "losses"), ({"artifact": "other"}, "artifact"), ({"status": 1}, "status")]
)
def test_any_other_difference_is_seen(tmp_path, changes, key):
    one, two = record(tmp_path / "a"), record(tmp_path / "b", **changes)
    assert [name for name in one if one[name] != two[name]] == [key]
