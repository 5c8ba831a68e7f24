"""The tutorial, followed literally: files are written, commands run, in the order of the page."""

import re
from pathlib import Path

import pytest
from fresh import Fresh

from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.submission import make
from pgolf.testing import MICRO

PAGE = Path(__file__).parent.parent / "docs" / "tutorial.md"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def blocks():
    """(kind, file or "", text) of every block."""
    return [(kind, title, text) for kind, title, text in BLOCK.findall(PAGE.read_text(encoding="utf-8"))]


def test_the_plugin_of_the_page_builds(tmp_path):
    (text,) = [text for _, title, text in blocks() if title.endswith("/mlp_gain.py") and "src" in title]
    (tmp_path / "mlp_gain.py").write_text(text)
    registry = load_registry([tmp_path])
    assert not [problem for problem in registry.problems if "mlp_gain" in problem.where]
    settings = {name: value for name, value in MICRO.items() if name != "seed"}
    made = make(Recipe("gain", layers=(("mlp_gain",),), settings=settings), registry, "plain")
    assert b"mlp_gain" in made.built.code and made.plugin_bytes()["mlp_gain"] > 0


@pytest.mark.slow
def test_every_block_of_the_page(tmp_path):
    fresh, work = Fresh(tmp_path / "venv"), tmp_path / "work"
    work.mkdir()
    said = ""
    for kind, title, text in blocks():
        if kind == "sh":
            said += fresh.run(text, work)
        else:
            assert title, "a block of Python without a file"
            (work / title).write_text(text)
    assert "2 passed" in said and "mlp_gain" in said
    assert (work / "runs/gain/submission.json").is_file() and "Ablations" in (work / "gain.html").read_text()
