"""A pull request's commit: the record's files and nothing else, or nothing at all."""

import json
import subprocess

import pytest
from folders import log_text, make_folder

from pgolf.errors import PgolfError
from pgolf.handing_in import body_text, contents, git, hand_in, record_name

REPORT = {"verdict": "pass", "folder": "toy", "checks": [], "sizes": {}}


@pytest.fixture
def report(monkeypatch):
    """Verify's, whose form is another module's matter."""
    monkeypatch.setattr("pgolf.handing_in.markdown", lambda reports: "all 60 checks pass\n")
    return REPORT


@pytest.fixture
def folder(tmp_path):
    made = make_folder(tmp_path / "toy", seeds=(1, 2))
    (made / "logs").mkdir(exist_ok=True)
    for path in (made / "logs").glob("*"):
        path.unlink()
    for seed in (1, 2):
        (made / f"logs/train_seed{seed}.log").write_text(log_text(b"x", seed))
    (made / "artifacts/seed1").mkdir(parents=True, exist_ok=True)
    (made / "artifacts/seed1/final_model.pt").write_bytes(b"large")
    return made


@pytest.fixture
def clone(tmp_path, monkeypatch):
    for key in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{key}_NAME", "A")
        monkeypatch.setenv(f"GIT_{key}_EMAIL", "a@example.org")
    place = tmp_path / "clone"
    (place / "records").mkdir(parents=True)
    (place / "records/README.md").write_text("records\n")
    (place / ".gitignore").write_text("data/\n")
    subprocess.run(["git", "init", "-q", "-b", "main", str(place)], check=True)
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "first")
    return place


def test_the_commit_adds_the_record_alone(folder, clone, report):
    done = hand_in(folder, clone, report)
    inside = "records/track_non_record_16mb/2026-05-01_toy/"
    assert done.branch == "record/2026-05-01_toy" and git(clone, "status", "--porcelain") == ""
    names = {name.removeprefix(inside) for name in done.files}
    assert names == {
        *("README.md", "submission.json", "train_gpt.py", "recipe.toml", "pgolf.lock"),
        *("logs/train_seed1.log", "logs/train_seed2.log"),
    }
    body = done.body.read_text()
    assert (
        "| 1 | 1.25000000 |" in body and "all 60 checks pass" in body and f"pgolf verify {inside.rstrip('/')}" in body
    )
    assert any("push origin record/2026-05-01_toy" in line for line in done.push)
    assert git(clone, "log", "--format=%s", "main") == "first"
    json.dumps(done.as_record())
    git(clone, "switch", "-q", "main")
    with pytest.raises(PgolfError, match="already exists"):
        hand_in(folder, clone, report)


def test_nothing_is_handed_in_while_verify_fails(folder, clone):
    failing = {"verdict": "fail", "checks": [{"id": "size.total", "status": "FAIL", "message": "412 bytes over"}]}
    with pytest.raises(PgolfError, match=r"verify does not pass: size\.total: 412 bytes over"):
        hand_in(folder, clone, failing)
    assert git(clone, "branch", "--format=%(refname:short)") == "main"


def test_a_clone_with_changes_or_none_at_all(folder, clone, report, tmp_path):
    with pytest.raises(PgolfError, match="no clone of a repository"):
        hand_in(folder, tmp_path, report)
    (clone / "mine.txt").write_text("x")
    with pytest.raises(PgolfError, match=r"changes of its own: \?\? mine\.txt"):
        hand_in(folder, clone, report)


def test_what_git_leaves_out_undoes_everything(folder, clone, report):
    (clone / ".gitignore").write_text("*.log\n")
    git(clone, "commit", "-q", "-am", "ignores logs")
    with pytest.raises(PgolfError, match="5 of 7 files are in the commit"):
        hand_in(folder, clone, report)
    assert (
        git(clone, "rev-parse", "--abbrev-ref", "HEAD") == "main"
        and git(clone, "branch", "--format=%(refname:short)") == "main"
    )
    assert not [*clone.glob("records/*/*")]


def test_names_and_contents(folder):
    assert record_name({"date": "2026-04-09T10:00", "name": "A b/c: d"}, "") == "2026-04-09_A_b_c_d"
    assert record_name({"date": "2026-04-09", "name": "x"}, "../y") == "2026-04-09_y"
    for document in ({"name": "x"}, {"date": "2026-04-09", "name": "///"}):
        with pytest.raises(PgolfError):
            record_name(document, "")
    (folder / "submission.json").unlink()
    with pytest.raises(PgolfError, match=r"there is no submission\.json"):
        contents(folder)


def test_without_logs_there_is_nothing_to_hand_in(folder):
    for path in folder.glob("logs/*"):
        path.unlink()
    with pytest.raises(PgolfError, match="no log of a run"):
        contents(folder)


def test_the_body_has_every_seed(report, tmp_path):
    document = {
        "name": "n",
        "val_bpb": 1.2,
        "seed_results": {"7": {"val_bpb": 1.2, "val_loss": 2.0, "artifact_bytes": 15_000_000}},
    }
    assert "| 7 | 1.20000000 | 2.00000000 | 15,000,000 |" in body_text(document, report, tmp_path / "r")
