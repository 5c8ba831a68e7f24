"""`pgolf size`: where the bytes go, and what changed."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from pgolf.cli.main import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def pgolf(*arguments, status=0):
    done = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done


@pytest.mark.ci
def test_size_equals_the_build_and_writes_nothing(tmp_path):
    found = json.loads(pgolf("size", "--plugins", "pko", "--json").stdout)
    assert not list(tmp_path.iterdir())
    built = json.loads(pgolf("build", "--plugins", "pko", "--json", "-o", "built").stdout)
    assert (found["code_bytes"], found["plugins"]) == (built["code_bytes"], built["plugins"])
    assert sum(found["modules"].values()) == sum(found["plugins"].values())
    compared = json.loads(pgolf("size", "--compare", "built", "--json").stdout)["compare"]
    assert compared["code_bytes"] == built["code_bytes"] and compared["difference"]["code_bytes"] < 0
    assert compared["difference"]["plugins"]["pko"] == -found["plugins"]["pko"]
    text = pgolf("size", "--plugins", "pko", "--compare", "built/train_gpt.py").stdout
    assert "compressed bytes by module" in text and "before" not in text and text.endswith("change +0\n")


@pytest.mark.ci
def test_comparison_with_a_recipe(tmp_path):
    (tmp_path / "other.toml").write_text('plugins = ["pko"]\n')
    text = pgolf("size", "--compare", "other.toml", "--html", "page.html").stdout
    assert re.search(r"pko +0 +\d+ +-\d+", text)
    assert "pgolf_plugins.architecture.pko" in (tmp_path / "page.html").read_text()
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".html"] == ["page.html"]
    pgolf("size", "--html", "nowhere/page.html", status=2)
    pgolf("size", "--plugins", "nothing", status=2)
