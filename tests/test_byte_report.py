"""The page of `pgolf size`: escaped, standalone, with boxes in proportion."""

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgolf.byte_report import Box, Item, page, squarify


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
