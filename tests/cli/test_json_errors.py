"""`--json` of a command that cannot do its work: one document of one shape on stdout, the same in words on stderr."""

import json

import pytest
from click.testing import CliRunner
from folders import make_folder

from pgolf import files
from pgolf.cli import main as cli
from pgolf.cli.main import COMMANDS, main

BAD = {
    "an unknown plugin": ("PG102", 2, "build", "--plugins", "bank_qta", "-o", "built"),
    "a word too many": ("PG001", 2, "build", "--plugins", "swa", "bank_qat"),
    "no recipe": ("PG001", 2, "build", "none"),
    "nothing to train": ("PG001", 2, "train", "empty"),
    "a damaged lock": ("PG505", 2, "train", "damaged", "--data", "empty"),
    "no logs": ("PG001", 2, "package", "empty"),
    "a folder of submissions": ("PG004", 2, "verify", "parent"),
    "folders of submissions": ("PG004", 2, "verify", "."),
    "no such folder": ("PG004", 2, "verify", "none"),
    "nothing to measure": ("PG001", 2, "size", "empty"),
    "no log of a run": ("PG001", 2, "logs", "empty"),
    "a damaged log": ("PG001", 2, "logs", "cut.log.gz"),
    "an option's value": ("PG004", 2, "data", "sample", "--vocab-size", "many"),
    "no documents": ("PG001", 2, "data", "tokenize", "text.jsonl", "--tokenizer", "text.jsonl", "-o", "set"),
    "no text to train on": ("PG001", 2, "data", "tokenizer", "text.jsonl", "-o", "x.model", "--vocab-size", "300"),
    "no network": (
        "PG001",
        2,
        "data",
        "fetch",
        "--variant",
        "sp1024",
        "--endpoint",
        "http://127.0.0.1:1",
        "-o",
        "fetched",
    ),
    "no Python": ("PG004", 2, "lint", "none.py"),
    "a syntax error": ("PG004", 2, "pack", "broken.py"),
    "the script itself": ("PG004", 2, "pack", "broken.py", "-o", "broken.py"),
    "no plugin": ("PG102", 2, "plugins", "show", "bank_qta"),
    "no row": ("PG004", 2, "leaderboard", "--pr", "1"),
    "no rung": ("PG004", 2, "prove", "empty", "--rungs", "99"),
    "no command": ("PG004", 2, "bild"),
    "an option before the command": ("PG004", 2, "--jsn", "build"),
}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "cut.log.gz").write_bytes(b"\x1f\x8b\x08")
    (tmp_path / "text.jsonl").write_text("no JSON\n")
    (tmp_path / "broken.py").write_text("def f(:\n")
    make_folder(tmp_path / "damaged")
    (tmp_path / "damaged/pgolf.lock").write_text("{")
    make_folder(tmp_path / "parent/one")
    return tmp_path


def fail(*words):
    """The document, the exit status and what stands on stderr."""
    done = CliRunner().invoke(main, [*words, "--json"], catch_exceptions=False)
    return json.loads(done.stdout), done.exit_code, done.stderr


@pytest.mark.parametrize("name", BAD)
def test_one_shape_for_every_command(name):
    code, status, *words = BAD[name]
    document, exit_status, said = fail(*words)
    assert document.keys() == {"errors", "exit_status"} and document["exit_status"] == exit_status == status, said
    assert document["errors"] and all(
        error.keys() == {"code", "message", "where", "help"} for error in document["errors"]
    )
    assert document["errors"][0]["code"] == code, document
    for error in document["errors"]:
        assert (
            error["message"] and "\n" not in error["message"] and f"error[{error['code']}]: {error['message']}" in said
        )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command(name):
    document, status, said = fail(name, "--no-such-option")
    assert status == document["exit_status"] == 2 and "no-such-option" in document["errors"][0]["message"]
    assert document["errors"][0]["help"].startswith("pgolf") and document["errors"][0]["message"] in said


def test_a_full_disk(place, monkeypatch):
    """Whoever meets it: what is caught nowhere else, too."""
    (place / "run.log").write_text("step:1/2 train_loss:1.0\nstep:2/2 train_loss:1.0\n")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    document, status, _ = fail("logs", "run.log", "--plot", "curves.html")
    assert status == document["exit_status"] == 2 and document["errors"][0]["code"] == "PG001"
    assert "make room" in document["errors"][0]["help"] and [*place.glob("*curves*")] == []
    monkeypatch.setattr("pgolf.cli.logs._read", full)
    document, status, _ = fail("logs", "run.log")
    assert status == 2 and document["errors"][0]["message"] == "cannot write: No space left on device"


def test_ctrl_c(monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("pgolf.cli.logs._read", interrupt)
    document, status, said = fail("logs", "cut.log.gz")
    assert document == {"errors": [], "exit_status": cli.INTERRUPTED} and status == cli.INTERRUPTED
    assert said == "interrupted\n"
