"""The probes of one script together, and what is said of one that cannot be probed."""

import sys

import pytest
from probe_server import Server
from running_scripts import whole

from pgolf.probe import workshop
from pgolf.probe.probing import BY_RUNNING, LONG, SMALLER, Prober
from pgolf.probe.workshop import Script


@pytest.fixture(scope="module")
def server():
    found = Server()
    yield found
    found.close()


@pytest.mark.ci
def test_an_honest_script_passes_everything_that_it_can(tmp_path, server):
    result = Prober(Script("train_gpt.py", whole()), tmp_path / "work", server, 11).run()
    seen = {rule: verdict.status for rule, verdict in result.verdicts.items()}
    assert seen == dict.fromkeys(BY_RUNNING, "PASS") | {"rule.boundary": "SKIP"}
    assert result.runs >= 14 and result.memory > 10**7 and result.seconds["flip"] > 0 and result.loaded == ""
    assert result.changed["MODEL_DIM"] == [512, 64.0]


@pytest.mark.parametrize("text", ["import nobody_has_this\n", "print('val_loss:1.0 val_bpb:1.0')\n", "def (\n"])
def test_what_cannot_run_is_not_judged(tmp_path, server, text):
    result = Prober(Script("train_gpt.py", text), tmp_path / "work", server, 11).run()
    assert {verdict.status for verdict in result.verdicts.values()} == {"SKIP"} and len(result.verdicts) == len(
        BY_RUNNING
    )
    assert "script" in result.loaded


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("import nobody_has_this\n", 1),
        ("print('val_loss:1.0 val_bpb:1.0')\n", 1),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", 1),
        pytest.param("raise ValueError('128 is no width for it')\n", 4, marks=pytest.mark.ci),
        pytest.param("raise ValueError('128 is no width for it')\n" + "#" * LONG, 5, marks=pytest.mark.ci),
    ],
)
def test_other_sizes_are_tried_where_they_may_help(tmp_path, server, text, sizes):
    prober = Prober(Script("train_gpt.py", text), tmp_path / "work", server, 11, ("bytes",))
    prober.run()
    assert len(prober.shops) == sizes


@pytest.mark.ci
def test_a_long_script_is_made_smaller(tmp_path, server):
    text = whole() + "#" * LONG
    result = Prober(Script("train_gpt.py", text), tmp_path / "work", server, 11, ("bytes",)).run()
    assert result.changed["MODEL_DIM"] == [512, 4.0 * SMALLER.head] and result.verdicts["rule.bytelut"].status == "PASS"


@pytest.mark.ci
def test_a_script_of_a_newer_python_runs(tmp_path, server):
    text = whole().replace("import glob\n", "import glob\nNAMES = {'a': 1}\nassert f\"{NAMES[\"a\"]}\" == '1'\n", 1)
    result = Prober(Script("train_gpt.py", text), tmp_path / "work", server, 11, ("bytes",)).run()
    assert result.loaded == "" and result.verdicts["rule.bytelut"].status == "PASS"
    result = Prober(Script("train_gpt.py", "def f(:\n"), tmp_path / "again", server, 11, ("bytes",)).run()
    assert result.loaded.startswith("Python 3.") and "line 1 of the script" in result.loaded
    assert "install" not in result.loaded
    if sys.version_info < (3, 12):
        result = Prober(Script("train_gpt.py", "type X = int\n"), tmp_path / "type", server, 11, ("bytes",)).run()
        assert result.loaded.endswith("install pgolf with Python 3.13 and probe it there")


@pytest.mark.ci
def test_one_probe_alone(tmp_path, server):
    result = Prober(Script("train_gpt.py", whole()), tmp_path / "work", server, 11, ("bytes",)).run()
    assert {*result.verdicts} == {"rule.bytelut"} and result.runs == 2


@pytest.mark.ci
def test_when_time_is_up_the_rest_is_not_judged(tmp_path, server, monkeypatch):
    monkeypatch.setattr(workshop, "BUDGET", 0.0)
    result = Prober(Script("train_gpt.py", whole()), tmp_path / "work", server, 11).run()
    seen = {rule: verdict.status for rule, verdict in result.verdicts.items()}
    assert "time was up" in result.loaded and {*seen.values()} == {"SKIP"}
    monkeypatch.setattr(workshop, "BUDGET", 0.01)
    result = Prober(Script("train_gpt.py", whole()), tmp_path / "again", server, 11).run()
    seen = {rule: verdict.status for rule, verdict in result.verdicts.items()}
    assert seen["rule.bytelut"] == "PASS" and seen["rule.causal"] == seen["rule.calibtrain"] == "SKIP", seen
