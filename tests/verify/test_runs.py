"""Who may run what, and what is left of a run."""

import subprocess

from folders import make_folder

from pgolf.manager import Registry
from pgolf.verify import runs, sandbox
from pgolf.verify.folder import RunPlan, View
from pgolf.verify.registry import passed
from pgolf.verify.sandbox import Refused, Sandbox


def permitted(folder, **plan):
    """What `permit` says of a folder: the reason why not, or "" """
    try:
        runs.permit(View(folder, Registry, RunPlan(True, **plan)))
    except Refused as refused:
        return str(refused)
    return ""


def test_foreign_code_runs_when_asked_and_in_bubblewrap_alone(tmp_path, monkeypatch):
    folder = make_folder(tmp_path / "toy")
    assert "--foreign" in permitted(folder)
    assert "--foreign" in permitted(folder, unsafe=True)
    monkeypatch.setattr(sandbox, "self_tested", lambda kind: (Sandbox(kind, (), ("network",)), ""))
    assert "does not hold here: network" in permitted(folder, foreign=True)
    assert "foreign code never runs without" in permitted(folder, foreign=True, unsafe=True)
    monkeypatch.setattr(sandbox, "self_tested", lambda kind: (Sandbox(kind, ("network",), ()), ""))
    assert permitted(folder, foreign=True) == ""


def test_reproduced_code_runs_without_a_sandbox_only_when_asked(tmp_path, monkeypatch):
    folder = make_folder(tmp_path / "toy")
    monkeypatch.setattr(runs, "rebuilt", lambda view: passed("the same bytes"))
    missing = {"bubblewrap": (None, "there is no bubblewrap here"), "network namespace": (None, "no")}
    monkeypatch.setattr(sandbox, "self_tested", lambda kind: missing.get(kind, (Sandbox(kind, (), ("files",)), "")))
    assert "apt-get install bubblewrap" in permitted(folder) and "--unsafe" in permitted(folder)
    found = runs.permit(View(folder, Registry, RunPlan(True, unsafe=True)))
    assert found.reproduced and found.evidence()["sandbox"] == "none" and found.evidence()["not_held"] == ["files"]


def test_everything_is_removed_whatever_a_program_leaves():
    with runs.scratch() as folder:
        deep = folder
        for _ in range(60):
            deep /= "d" * 60
        subprocess.run(["mkdir", "-p", "--", str(deep)[:4000].rpartition("/")[0]], check=True)
        (folder / "closed").mkdir(mode=0)
    assert not folder.exists()
