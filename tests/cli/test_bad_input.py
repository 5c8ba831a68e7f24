"""Every command with what people really give it: one error style, exit status 1 or 2, no traceback, also as JSON."""

import json
import os

import pytest
from click.testing import CliRunner

from pgolf.cli.main import COMMANDS, main

# How each command takes its first path; {} is the path. Commands without one are in WITHOUT.
TAKES = {
    "ablate": "{} --drop each",
    "build": "{} -o out",
    "diff": "{} {}",
    "forecast": "{}",
    "leaderboard": "{}",
    "lint": "{}",
    "logs": "{}",
    "pack": "{}",
    "package": "{}",
    "plan": "{}",
    "preflight": "{}",
    "profile": "{}",
    "prove": "{}",
    "report": "{} -o out.html",
    "requant": "final_model.pt {}",
    "size": "{}",
    "submit": "{} --clone clone",
    "sweep": "{} -o out",
    "train": "{}",
    "upload": "{} --repo somebody/golf --endpoint http://127.0.0.1:1",
    "verify": "{}",
}
WITHOUT = {
    "data": ("tokenize none.jsonl -o set", "tokenizer binary -o x.model", "sample -o file/inside"),
    "doctor": ("--nothing",),
    "explain": ("PG9999",),
    "fetch-run": ("no-slash", "none/none --endpoint http://127.0.0.1:1"),
    "plugins": ("show nobody", "hooks nothing", "--plugin-dir none", "new Bad-Name -o new"),
}
BAD = {
    "missing": "none",
    "a file for a folder": "file",
    "a file below a file": "file/inside",
    "an empty folder": "empty",
    "bad TOML": "bad.toml",
    "no text": "binary.toml",
    "an unknown key": "key.toml",
    "an unknown plugin": "plugin.toml",
    "an unknown setting": "setting.toml",
    "a wrong type": "type.toml",
    "a damaged lock": "damaged",
    "a folder called like a recipe": "folder.toml",
    "a name with odd characters": "\x1b[31m\n.toml",
    "a loop of links": "loop",
}
# What a command may well do with such an input, having no use for the recipe inside.
FINE = {
    *(("lint", "a damaged lock"), ("report", "a damaged lock")),
    *(("verify", name) for name in ("an empty folder", "a damaged lock", "a folder called like a recipe")),
    # A recipe is Python as well, as far as its text goes.
    *(("pack", f"an unknown {name}") for name in ("key", "plugin", "setting")),
    *(("pack", "a wrong type"), ("pack", "a file for a folder")),
}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("empty", "folder.toml", "damaged", "clone"):
        (tmp_path / name).mkdir()
    texts = {
        "file": "x",
        "bad.toml": "plugins = [",
        "key.toml": 'name = "x"\npluggins = []\n',
        "plugin.toml": 'name = "x"\nplugins = ["bank_qta"]\n',
        "setting.toml": 'name = "x"\nplugins = []\n[settings]\nnum_layer = 4\n',
        "type.toml": 'name = "x"\nplugins = []\n[settings]\nnum_layers = "four"\n',
        "damaged/pgolf.lock": "{",
        "damaged/train_gpt.py": "pass\n",
        "damaged/submission.json": "{}",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    for name in ("binary", "binary.toml", "final_model.pt"):
        (tmp_path / name).write_bytes(bytes(range(256)))
    (tmp_path / "loop").symlink_to("loop")


def fail(words):
    """(status, stdout, stderr) of a call; a traceback is an error of the test."""
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


def test_every_command_is_tried():
    assert {*TAKES, *WITHOUT} == set(COMMANDS)


def judge(words, fine=False):
    """One style: `error[CODE]: one line`, then `-->` and `help:`; JSON has the same."""
    status, out, said = fail(words)
    if fine:
        assert status in (0, 1, 2) and "Traceback" not in said
        return
    assert status in (1, 2), (words, out, said)
    errors = [line for line in said.splitlines() if line.startswith("error[PG")]
    assert errors and "Traceback" not in said, (words, said)
    assert "\x1b" not in said.replace("\x1b[K", ""), (words, said)
    rest = said[said.index("error[PG") :].splitlines()[1:]
    assert all(line.startswith(("error[PG", "  --> ", "  help: ", "    ")) or "|" in line for line in rest), (
        words,
        said,
    )
    if "hooks" not in words and "new" not in words:
        status, out, _ = fail([*words, "--json"])
        document = json.loads(out)
        assert status in (1, 2) and document["errors"] and document["exit_status"] == status


# The others say the same of other files; all of them take a minute.
ALWAYS = ("missing", "bad TOML", "a loop of links")


@pytest.mark.parametrize(
    "bad", [name if name in ALWAYS else pytest.param(name, marks=pytest.mark.slow) for name in BAD]
)
@pytest.mark.parametrize("command", TAKES)
def test_a_path_that_is_of_no_use(command, bad):
    words = [command, *(word.replace("{}", BAD[bad]) for word in TAKES[command].split())]
    judge(words, (command, bad) in FINE)


# A hub that nobody answers for is asked again and again, for 20 seconds.
@pytest.mark.parametrize(
    ("command", "rest"),
    [
        pytest.param(name, rest, marks=[pytest.mark.slow] if "--endpoint" in rest else [])
        for name, calls in WITHOUT.items()
        for rest in calls
    ],
)
def test_an_argument_that_is_of_no_use(command, rest):
    judge([command, *rest.split()])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize("command", TAKES)
def test_a_file_that_may_not_be_read(command, tmp_path):
    (tmp_path / "secret.toml").write_text("x = 1\n")
    (tmp_path / "secret.toml").chmod(0)
    judge([command, *(word.replace("{}", "secret.toml") for word in TAKES[command].split())])
