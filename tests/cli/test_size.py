"""`pgolf size`: where the bytes go, what changed, and the page."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from pgolf.bundle.report import Box, Item, page, squarify
from pgolf.cli.main import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def pgolf(*arguments, status=0):
    done = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done


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


def test_comparison_with_a_recipe(tmp_path):
    (tmp_path / "other.toml").write_text('plugins = ["pko"]\n')
    text = pgolf("size", "--compare", "other.toml", "--html", "page.html").stdout
    assert re.search(r"pko +0 +\d+ +-\d+", text)
    assert "pgolf_plugins.architecture.pko" in (tmp_path / "page.html").read_text()
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".html"] == ["page.html"]
    pgolf("size", "--html", "nowhere/page.html", status=2)
    pgolf("size", "--plugins", "nothing", status=2)


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_is_escaped_and_standalone():
    items = [Item("<b>", "x.</text><script>alert(1)</script>", 90, 3), Item("a", "a.b", 5), Item("a", "a.c", -2, -7)]
    found = Page(page('"><script>', [("k<", "&v")], items))
    tags = [tag for tag, _ in found.tags]
    assert "script" not in tags and "link" not in tags and "img" not in tags and "b" not in tags
    assert not any(
        name in ("src", "href") or name.startswith("on") for _, attributes in found.tags for name in attributes
    )
    assert "x.</text><script>alert(1)</script>" in found.text and '"><script>' in found.text
    assert tags.count("tr") == 4 and "caption" in tags and tags.count("rect") == 4
    assert Page(page("empty", [], [])).tags


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 10000), min_size=1, max_size=40))
def test_a_treemap_fills_its_box_in_proportion(sizes):
    sizes = sorted(sizes, reverse=True)
    whole = Box(3, 5, 400, 300)
    boxes = squarify([float(size) for size in sizes], whole)
    assert len(boxes) == len(sizes)
    for size, box in zip(sizes, boxes, strict=True):
        assert box.area == pytest.approx(whole.area * size / sum(sizes), rel=1e-6)
        assert box.x >= 3 - 1e-6 and box.x + box.width <= 403 + 1e-6
        assert box.y >= 5 - 1e-6 and box.y + box.height <= 305 + 1e-6
    for index, one in enumerate(boxes):
        for other in boxes[:index]:
            wide = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
            high = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
            assert wide < 1e-6 or high < 1e-6
