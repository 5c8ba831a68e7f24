"""`pgolf verify --probe`: what is run in which sandbox, and how verdicts become outcomes of checks."""

import json

import pytest
from click.testing import CliRunner
from foreign import foreign_folder
from running_scripts import whole

from pgolf.cli.main import main
from pgolf.manager import Registry
from pgolf.probe.probing import Result
from pgolf.probe.verdicts import RULES, Verdict
from pgolf.verify import probes
from pgolf.verify.folder import RunPlan, View
from pgolf.verify.probes import by_probe, script_of, tokenizers, with_data
from pgolf.verify.report import verify
from pgolf.verify.sandbox import Refused, open_sandbox


def sandboxed():
    try:
        open_sandbox(False)
    except Refused:
        return False
    return True


def view_of(tmp_path, text="print(1)\n", asked=("all",), **files):
    folder = foreign_folder(tmp_path / "it", script=text.encode(), files=files)
    return View(folder, Registry, RunPlan(probes=asked, probe_seed=3))


def test_without_a_sandbox_nothing_runs(tmp_path, monkeypatch):
    def refuse(unsafe):
        assert not unsafe
        raise Refused("there is no bubblewrap here")

    monkeypatch.setattr(probes, "open_sandbox", refuse)
    view = view_of(tmp_path)
    outcome = by_probe(view, "rule.causal")
    assert outcome.status == "SKIP" and "foreign code never runs without one" in outcome.message
    statuses = {row["id"]: row["status"] for row in verify(view)["checks"]}
    assert {statuses[rule] for rule in RULES} == {"SKIP"}


def test_outcomes_have_places_and_a_command(tmp_path):
    view = view_of(tmp_path)
    place = {"position": 4, "before": 1.0, "after": 2.0, "line": 9}
    failed = Verdict("rule.causal", "FAIL", "position 4\x1b depends on it", "flip", (place,))
    view.probed = Result({"rule.causal": failed}, {"flip": 1.5}, seed=3)
    rows = {row["id"]: row for row in verify(view)["checks"]}
    row = rows["rule.causal"]
    assert row["status"] == "FAIL" and "\\x1b" in row["message"] and row["evidence"]["findings"] == [place]
    assert row["evidence"]["rerun"].endswith(" --probe flip --probe-seed 3") and row["evidence"]["seconds"] == 1.5
    assert rows["rule.normal"]["status"] == "SKIP" and rows["rule.clock"]["status"] == "SKIP"


def test_a_probe_decides_over_text(tmp_path):
    text = "import torch\ndef f(a, b):\n    return torch.minimum(nll_a, nll_b)\n"
    view = view_of(tmp_path, text)
    view.probed = Result({"rule.hindsight": Verdict("rule.hindsight", "PASS", "sums to one", "substitution")})
    row = {row["id"]: row for row in verify(view)["checks"]}["rule.hindsight"]
    assert row["status"] == "PASS" and row["evidence"]["text"]
    view.probed = Result({"rule.hindsight": Verdict("rule.hindsight", "SKIP", "does not run", "load")})
    assert {row["id"]: row for row in verify(view)["checks"]}["rule.hindsight"]["status"] == "WARN"


def test_what_a_script_is_given(tmp_path):
    view = view_of(tmp_path, "import zlib\nimport beside\nprint(1)\n", **{"beside.py": "x = 1\n", "a.model": "m"})
    script = script_of(view)
    assert script.text.endswith("print(1)\n") and {"beside.py", "a.model"} <= {*script.files}
    assert "train_gpt.py" not in script.files and not [name for name in script.files if name.endswith(".log")]
    assert tokenizers(view) == {"a.model": b"m"}
    assert "cannot be read" in script_of(view_of(tmp_path / "bad", "def (\n"))


def test_data_that_is_not_given(tmp_path):
    view = view_of(tmp_path)
    found = with_data(view, script_of(view), tmp_path / "w", None, 1, {"other-text", "overlap"})
    assert {(one.rule, one.status) for one in found} == {("rule.prefix", "SKIP"), ("rule.disjoint", "SKIP")}


def test_the_command(tmp_path):
    folder = foreign_folder(tmp_path / "it", script=b"print(1)\n")
    bad = CliRunner().invoke(main, ["verify", str(folder), "--probe", "nonsense"])
    assert bad.exit_code == 2 and "there is no probe 'nonsense'" in bad.output
    assert CliRunner().invoke(main, ["verify"]).exit_code == 2


@pytest.mark.ci
@pytest.mark.skipif(not sandboxed(), reason="needs bubblewrap")
def test_in_the_sandbox(tmp_path):
    folder = foreign_folder(tmp_path / "it", script=whole().encode())
    done = CliRunner().invoke(main, ["verify", "--json", "--probe-seed", "5", "--probe", "bytes", str(folder)])
    row = {row["id"]: row for row in json.loads(done.stdout)["checks"]}["rule.bytelut"]
    assert row["status"] == "PASS" and row["evidence"]["decoded"] > 1000, row
