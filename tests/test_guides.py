"""Pages for people: every command and option they name exists, every file too, and the Python that they show runs."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pgolf.cli.main import main

ROOT = Path(__file__).parent.parent
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(page):
    """Calls of pgolf in the code of a page: of blocks, and of indented lines."""
    text = page.read_text(encoding="utf-8")
    lines = "\n".join(body for kind, body in BLOCK.findall(text) if kind in ("sh", "bash")).splitlines()
    lines += re.findall(r"^    (pgolf .*)$", text, re.MULTILINE)
    calls = [part.strip() for line in lines for part in re.split(r"&&|\|", line.partition(" #")[0])]
    return [call.replace(".venv/bin/", "") for call in calls if call.replace(".venv/bin/", "").startswith("pgolf ")]


def check_call(call):
    """The command, its group and all of its options exist."""
    words = [word for word in shlex.split(call.replace("...", ""))[1:] if word not in ("[", "]")]
    command, context = main, click.Context(main, info_name="pgolf")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        if found is None:
            break
        command, context = found, click.Context(found, info_name=words.pop(0), parent=context)
    assert command is not main or words[0].startswith("-"), f"no such command: {call}"
    options = {name for item in command.params for name in (*item.opts, *item.secondary_opts)} | {"--help", "-h"}
    for word in words:
        if re.match(r"--?[a-zA-Z]", word):
            assert word.partition("=")[0] in options, f"no such option {word}: {call}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page):
    for call in commands(page):
        check_call(call)


def test_the_test_sees_commands():
    found = commands(ROOT / "docs" / "how-to.md")
    assert len(found) > 30 and "pgolf verify records/theirs --run --foreign" in found
    for bad in ("pgolf bild x", "pgolf build --smok", "pgolf plugins shwo x --bytes"):
        with pytest.raises(AssertionError):
            check_call(bad)


def test_ten_tasks():
    assert (ROOT / "docs" / "how-to.md").read_text().count("\n## ") == 10


def test_files_that_contributors_are_sent_to_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = [name for name in re.findall(r"`([\w./-]+/[\w./-]*)`", text) if "NAME" not in name]
    assert len(named) > 25
    assert [name for name in named if not (ROOT / name).exists()] == []
    for task in ("a plugin", "a check", "a rule", "a pass", "a log family", "a command", "a hook"):
        assert f"## To add {task}" in text


@pytest.mark.ci
def test_the_python_page_runs(tmp_path):
    blocks = [body for kind, body in BLOCK.findall((ROOT / "docs" / "python.md").read_text()) if kind == "python"]
    done = subprocess.run([sys.executable, "-c", blocks[0]], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    size, verdict = done.stdout.splitlines()
    assert int(size.split()[0]) == (tmp_path / "quick/train_gpt.py").stat().st_size and verdict.startswith("fail [")
