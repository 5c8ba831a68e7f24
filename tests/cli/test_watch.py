"""`pgolf build --watch`: what is built again, what is used again, and how it ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pgolf.cli import watch as module
from pgolf.cli.watch import Order, stamp, tree_hash, watch

SAMPLES = Path(__file__).parents[1] / "sample_plugins"


@pytest.fixture
def order(tmp_path, monkeypatch):
    """A recipe in two files with a plugin of a folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "extra").mkdir()
    shutil.copy(SAMPLES / "square_penalty.py", tmp_path / "extra/watched_penalty.py")
    plugin = tmp_path / "extra/watched_penalty.py"
    plugin.write_text(plugin.read_text().replace('"square_penalty"', '"watched_penalty"'))
    Path("base.toml").write_text('plugins = ["watched_penalty"]\n')
    Path("recipe.toml").write_text('extends = "base.toml"\nname = "first"\n')
    return Order(Path("recipe.toml"), (), (), Path("out"), "", "plain", False, True, (tmp_path / "extra",))


def run(order, monkeypatch, capsys, *edits):
    """Reports of the first build and of one after each edit."""
    steps, seen = iter(edits), []

    def wait(paths):
        seen.append({path.name for path in paths})
        next(steps)()
        return "edit"

    monkeypatch.setattr(module, "_wait", wait)
    watch(order, True, 1 + len(edits))
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()], seen


def edit(old, new):
    path = Path("extra/watched_penalty.py")

    def change():
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


def test_what_is_built_again(order, monkeypatch, capsys):
    code = Path("extra/watched_penalty.py").read_text()
    first_docstring = code.splitlines()[0]
    reports, seen = run(
        order,
        monkeypatch,
        capsys,
        edit(first_docstring, first_docstring.replace('"""', '"""Still, ', 1)),
        edit("def ", "def ("),
        lambda: Path("extra/watched_penalty.py").write_text(code + "\n\nUNUSED_HERE = 3\n"),
        lambda: Path("recipe.toml").write_text('extends = "base.toml"\nplugins = ["pko"]\n'),
    )
    first, comment, broken, again, more = reports
    assert first["problem"] == "" and not first["reused"] and first["folder"] == "out"
    assert comment["reused"] and comment["sha256"] == first["sha256"]
    assert "[PG101]" in broken["problem"] and "watched_penalty.py" in broken["problem"]
    assert not again["reused"] and again["sha256"] == first["sha256"]
    assert more["code_bytes"] > first["code_bytes"] and not more["reused"]
    assert more["code_bytes"] == len(Path("out/train_gpt.py").read_bytes())
    for names in seen:
        assert {"recipe.toml", "base.toml", "watched_penalty.py"} <= names and "train.py" in names


def test_only_other_content_counts(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    before = stamp([path, tmp_path / "none"], {})
    os.utime(path, (1, 1))
    after = stamp([path], before)
    assert before != after and before[path][2] == after[path][2]
    assert stamp([path], after)[path] is after[path]


def test_a_tree_is_the_same_without_comments_and_docstrings(tmp_path):
    path = tmp_path / "a.py"
    hashes = []
    for text in (
        '"""A."""\ndef f(): return 1\n',
        '"""B."""\n# c\n\ndef f():\n    return 1\n',
        '"""A."""\ndef f(): return 2\n',
    ):
        path.write_text(text)
        hashes.append(tree_hash(path))
    assert hashes[0] == hashes[1] != hashes[2]
    path.write_text("def (")
    assert tree_hash(path) not in hashes and tree_hash(tmp_path / "none") == "unreadable"


def test_an_interrupt_ends_it(tmp_path):
    command = [sys.executable, "-m", "pgolf.cli", "build", "--watch", "--pack", "plain", "-o", str(tmp_path / "out")]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        line = child.stdout.readline()
        child.send_signal(signal.SIGINT)
        rest, errors = child.communicate(timeout=20)
    finally:
        child.kill()
    assert " bytes, " in line and "first build" in line and rest == ""
    assert child.returncode == 130 and errors == "interrupted\n"
    assert (tmp_path / "out/pgolf.lock").is_file()
