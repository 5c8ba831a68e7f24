"""The probes of one script together, and what is said of one that cannot be probed."""

import pytest
from probe_server import Server
from running_scripts import whole

from pgolf.probe import workshop
from pgolf.probe.probing import BY_RUNNING, Prober
from pgolf.probe.workshop import Script


@pytest.fixture(scope="module")
def server():
    found = Server()
    yield found
    found.close()


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


def test_one_probe_alone(tmp_path, server):
    result = Prober(Script("train_gpt.py", whole()), tmp_path / "work", server, 11, ("bytes",)).run()
    assert {*result.verdicts} == {"rule.bytelut"} and result.runs == 2


def test_when_time_is_up_the_rest_is_not_judged(tmp_path, server, monkeypatch):
    monkeypatch.setattr(workshop, "BUDGET", 0.0)
    result = Prober(Script("train_gpt.py", whole()), tmp_path / "work", server, 11).run()
    seen = {rule: verdict.status for rule, verdict in result.verdicts.items()}
    assert "time was up" in result.loaded and {*seen.values()} == {"SKIP"}
    monkeypatch.setattr(workshop, "BUDGET", 0.01)
    result = Prober(Script("train_gpt.py", whole()), tmp_path / "again", server, 11).run()
    seen = {rule: verdict.status for rule, verdict in result.verdicts.items()}
    assert seen["rule.bytelut"] == "PASS" and seen["rule.causal"] == seen["rule.calibtrain"] == "SKIP", seen
