"""A folder as untrusted data: what is read, from where, and how much."""

import os
from dataclasses import replace

import pytest

from pgolf.verify import folder as module
from pgolf.verify.folder import Unreadable, View, printable


def view(folder):
    return View(folder, lambda: pytest.fail("no plugins are needed"))


def test_what_a_folder_holds(folder):
    found = view(folder)
    assert (found.code_name, found.json_name, found.built) == ("train_gpt.py", "submission.json", True)
    assert found.claim[0]["name"] == "toy" and found.lock[0].recipe["name"] == "toy" and found.code[1] == ""
    assert list(found.logs) == found.log_names == ["logs/train_seed1337.log"] and found.unreadable_logs == {}
    assert {seed: list(files) for seed, files in found.artifacts.items()} == {1337: ["final_model.int8.ptz"]}
    assert found.cut == "" and found.exceeded == []


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "is missing"),
        (lambda path: path.mkdir(), "is not a regular file"),
        (lambda path: os.mkfifo(path), "is not a regular file"),
        (lambda path: path.symlink_to("/etc/hostname"), "leads out of the folder"),
        (lambda path: path.symlink_to("x"), "cannot be read"),
    ],
)
def test_what_is_no_file_of_the_folder_is_not_read(folder, make, said):
    make(folder / "x")
    found = view(folder)
    for use in (found.path, found.open, lambda name: found.read(name, 10)):
        with pytest.raises(Unreadable, match=said):
            use("x")
    assert not found.exists("x")


def test_names_that_lead_outside(folder, tmp_path):
    (tmp_path / "secret").write_text("x")
    for name in ("../secret", "/etc/hostname", "logs/../../secret"):
        with pytest.raises(Unreadable, match="leads out of the folder"):
            view(folder).path(name)


def test_a_file_may_have_its_limit_and_no_byte_more(folder):
    (folder / "x").write_bytes(bytes(10))
    assert view(folder).read("x", 10) == bytes(10)
    with pytest.raises(Unreadable, match="larger than 9 bytes"):
        view(folder).read("x", 9)


def test_all_reads_share_a_budget(folder, monkeypatch):
    monkeypatch.setattr(module, "READ_BUDGET", 25)
    (folder / "x").write_bytes(bytes(10))
    found = view(folder)
    assert found.read("x", 10) == found.read("x", 10) == bytes(10)
    with pytest.raises(Unreadable, match="holds more than 25 bytes"):
        found.read("x", 10)
    assert len(found.exceeded) == 1 and "x is not read" in found.exceeded[0]


def test_a_reason_is_noted_once(folder):
    found = view(folder)
    for reason in ("a", "b", "a"):
        found.exceed(reason)
    assert found.exceeded == ["a", "b"]


def test_walking_stops_at_a_number_and_says_so(folder, monkeypatch):
    whole = len(view(folder).walk())
    monkeypatch.setattr(module, "ENTRY_LIMIT", whole)
    assert view(folder).cut == ""
    monkeypatch.setattr(module, "ENTRY_LIMIT", whole - 1)
    found = view(folder)
    assert len(found.walk()) == whole - 1 and found.cut.startswith("there are more than")


def test_walking_follows_no_link(folder, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/a").write_text("x")
    (folder / "link").symlink_to(tmp_path / "outside")
    names = [name for name, _, _ in view(folder).walk()]
    assert "link" in names and "link/a" not in names


def test_artifacts_are_those_of_seeds(folder):
    for name in ("seedx", "seed1.previous", "other"):
        (folder / "artifacts" / name).mkdir()
        (folder / "artifacts" / name / "final_model.int8.ptz").write_bytes(b"x")
    (folder / "artifacts/seed1337/notes.ptz").write_bytes(b"x")
    assert list(view(folder).artifacts) == [1337]


def test_a_folder_of_somebody_else_is_not_built_by_pgolf(folder):
    (folder / "pgolf.lock").unlink()
    found = view(folder)
    assert not found.built and found.lock == (None, "pgolf.lock is missing")


def test_the_rules_are_the_given_ones_or_those_of_the_lock(folder):
    own = view(folder).challenge
    other = replace(own, artifact_cap=1)
    assert View(folder, lambda: None, rules=other).challenge.artifact_cap == 1 != own.artifact_cap


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a b", "a b"), ("é", "é"), ("a\nb", "a\\nb"), ("\x1b[31m", "\\x1b[31m"), ("\udcff", "\\udcff")],
)
def test_names_cannot_steer_a_terminal(text, shown):
    assert printable(text) == shown
