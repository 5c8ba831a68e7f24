"""What is seen of a run: tensors, losses, gradients, graphs, groups and scores, whatever the program calls them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import torch

from pgolf.prove import recorder
from pgolf.prove.recorder import Refuse, digest, exact, leftovers, shown

PROGRAM = """
import pathlib, sys, torch
from torch import nn
torch.manual_seed({seed})
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
    def forward(self, x): return (self.weight * x).{what}()
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for step in range(2):
    optimizer.zero_grad()
    net(torch.tensor([1.0, 2.0, 3.0])).backward()
    optimizer.step()
pathlib.Path("final_model.toy.ptz").write_bytes(b"model")
pathlib.Path("logs").mkdir()
pathlib.Path("logs/run.txt").write_text("final_exact val_loss:2.5 val_bpb:1.25 eval_time:3ms\\nother\\n")
sys.exit({status})
"""


def record(folder, last_rung=7, isolated="0", what="sum", status=0, text=None):
    """What the recorder says of a program."""
    work = folder / f"work{len(list(folder.iterdir()))}"
    work.mkdir()
    (work / "program.py").write_text(text or PROGRAM.format(seed=1, what=what, status=status))
    command = [sys.executable, "-P", recorder.__file__, "program.py", "out.json", str(last_rung), isolated]
    subprocess.run(
        command, cwd=work, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    return json.loads((work / "out.json").read_text())


@pytest.mark.ci
def test_a_run_is_recorded_whole(tmp_path):
    found = record(tmp_path, status=3)
    assert found["state"] == [["weight", [3], "torch.float32"]] and found["status"] == 3 and found["problem"] == ""
    assert [step["losses"] for step in found["steps"]] == [[(6.0).hex()], [(-1.0).hex()]]
    assert found["steps"][0]["gradients"] == {"weight": digest(torch.tensor([1.0, 2.0, 3.0]))}
    assert found["steps"][1]["parameters"] == {"weight": digest(torch.tensor([0.5, 0.0, -0.5]))}
    assert len(found["groups"]) == 1 and found["groups"][0] == 'SGD [["weight"]]' and len(found["rates"]) == 2
    assert found["artifact"].startswith("final_model.toy.ptz ") and found["artifact_bytes"] == 5
    assert found["scores"] == [f"final_exact val_loss:{(2.5).hex()} val_bpb:{(1.25).hex()}"]
    (graph,) = found["graphs"].values()
    assert any("mul" in line for line in graph)


@pytest.mark.slow
def test_low_rungs_end_the_run_early_and_another_operator_is_another_graph(tmp_path):
    first, second = (record(tmp_path, last_rung=4, what=what) for what in ("sum", "prod"))
    assert first["artifact"] == "" and len(first["steps"]) == 2
    assert first["graphs"] != second["graphs"] and first["initial"] == second["initial"]


@pytest.mark.slow
def test_an_isolated_program_finds_no_pgolf_and_a_failure_is_a_problem(tmp_path):
    found = record(tmp_path, isolated="1", text="import pgolf.runtime.records")
    assert found["problem"] == "ImportError: a bundled program imports pgolf"
    assert record(tmp_path, text="import pgolf.runtime.records")["problem"] == ""


def test_internal_packages_are_refused_and_no_others():
    with pytest.raises(ImportError):
        Refuse().find_spec("pgolf_plugins.data")
    assert Refuse().find_spec("json") is None


def test_a_digest_is_of_values_shape_and_dtype():
    one = torch.arange(6.0)
    assert digest(one) == digest(one.clone()) == digest(torch.arange(12.0)[::2] / 2)
    assert len({digest(one), digest(one.reshape(2, 3)), digest(one.double()), digest(one + 1)}) == 4


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0x1.0000000000000p-1"), ((0.5, 1), ["0x1.0000000000000p-1", "1"]), (True, "True"), (None, "None")],
)
def test_numbers_are_shown_exactly(value, text):
    assert shown(value) == text and shown(torch.tensor(0.5)) == shown(0.5)


def test_scores_have_their_digits_and_no_times():
    assert exact("label val_bpb:1.25 eval_time:9ms") == f"label val_bpb:{(1.25).hex()}"
    assert exact("label val_bpb:nan x:y") == "label val_bpb:nan x:y"


def test_nothing_is_left_of_a_run_that_made_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert leftovers() == {"artifact": "", "artifact_bytes": 0, "scores": [], "trained": {}}
    torch.save({"a": torch.ones(2)}, "final_model.pt")
    assert leftovers()["trained"] == {"a": digest(torch.ones(2))}


def test_the_recorder_imports_nothing_of_pgolf():
    text = Path(recorder.__file__).read_text(encoding="utf-8")
    assert "from pgolf" not in text and "import pgolf" not in text and numpy.__name__ in text
