"""The page stands alone, is well formed, and shows what is untrusted as text."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from folders import make_folder

from pgolf.charts import bytes_bar, curves, seed_plot
from pgolf.manager import Registry
from pgolf.verify.folder import View
from pgolf.verify.html import page
from pgolf.verify.outputs_details import POINTS, Details, details, thin
from pgolf.verify.report import verify

EVIL = "</title><script>alert(1)</script>\"'&<svg onload=x>\x1b\u202e\n"
VOID = {"meta", "br"}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Tags(HTMLParser):
    """Collects tags and attributes, and that every tag is closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes = [], set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def evil_report():
    record = {"id": "a.b", "status": "FAIL", "message": EVIL, "evidence": {}, "rule": EVIL}
    return {"folder": EVIL, "verdict": "fail", "checks": [record, {**record, "status": "PASS"}]}


def evil_details():
    return Details(EVIL, EVIL, 1.1, 100, 60, 50, [(EVIL, 1.0), ("b", 1.2)], {EVIL: [(0, 2.0), (9, 1.0)]}, {EVIL: []})


@pytest.fixture
def whole(tmp_path):
    view = View(make_folder(tmp_path / "toy", seeds=(1337, 42)), Registry)
    return page([verify(view), evil_report()], [details(view), evil_details()])


def test_the_page_is_well_formed(whole):
    parser = Tags(whole)
    assert parser.open == []
    ElementTree.fromstring(whole.removeprefix("<!DOCTYPE html>\n"))


def test_nothing_is_loaded_and_nothing_runs(whole):
    parser = Tags(whole)
    assert not parser.tags & {
        "script",
        "img",
        "link",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "use",
        "image",
        "foreignobject",
    }
    for name, value in parser.attributes:
        assert not name.startswith("on") and name not in ("src", "srcset", "action", "data", "xlink:href", "formaction")
        assert name != "href" or value.startswith("#")
    assert not re.search(r"url\(|@import|//(?!www\.w3\.org/2000/svg)", whole)
    assert "default-src &#x27;none&#x27;" in whole


def test_untrusted_text_is_text(whole):
    assert "<script>" not in whole and "&lt;script&gt;" in whole
    assert not any(ord(char) < 32 and char != "\n" for char in whole) and "\u202e" not in whole


def test_the_page_shows_verdict_bytes_seeds_and_curves(whole):
    assert whole.count("<svg ") >= 5
    for text in (">FAIL</span>", "16,000,000", "10 bytes over", "seed 1337", "Training loss", "1 passed"):
        assert text in whole


def test_a_report_without_numbers_has_a_page(tmp_path):
    view = View(tmp_path, Registry)
    assert Tags(page([verify(view)], [details(view)])).open == []
    assert Tags(page([verify(view)], [None])).open == []


def test_charts_of_odd_numbers():
    for drawing in (
        bytes_bar(0, 0, 0),
        bytes_bar(10**12, 10**12, 16_000_000),
        seed_plot([("a", 1.0)], None),
        seed_plot([("a", 1.0), ("b", 1.0)], 1.0),
        seed_plot([("a", 1e11), ("b", -1e11)], 0.0),
        curves({"a": [(0, 1.0), (0, 1.0)]}, "t"),
        curves({"a": [(-5, 1e11), (1e11, -1e11)]}, "t"),
        curves({}, "t"),
    ):
        ElementTree.fromstring(drawing)
        assert not re.search(r"\b(nan|inf)\b", drawing)


def test_curves_are_thinned_and_keep_their_ends():
    points = [(at, float(at)) for at in range(10_000)]
    found = thin(points)
    assert len(found) == POINTS and found[0] == (0, 0.0) and found[-1] == (9999, 9999.0)
    assert thin([(1, float("nan")), (2, "x"), (3, "1.5"), (4, True)]) == [(3.0, 1.5)]


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no browser")
def test_a_browser_draws_the_page_without_an_error(whole, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(whole)
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    shot = tmp_path / "page.png"
    done = subprocess.run(
        [CHROMIUM, *options, f"--screenshot={shot}", "--window-size=1000,2000", file.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0 and shot.stat().st_size > 10_000, done.stderr
    dumped = subprocess.run(
        [CHROMIUM, *options, "--dump-dom", file.as_uri()], capture_output=True, text=True, timeout=120
    )
    assert "<script" not in dumped.stdout and dumped.stdout.count("<svg") == whole.count("<svg")
