"""The page of a sweep: one file that loads nothing, whatever the names."""

import re
from html.parser import HTMLParser

from pgolf.sweep.store import Row
from pgolf.sweep.sweep_page import Column, page, points

ABOUT = {"name": "a<b>", "method": "grid", "axes": ["num_layers", "plugins.average"], "cap": 16_000_000}


def rows():
    found = [
        Row(f"k{n}", "f", {"num_layers": n, "plugins.average": name}, "finished", val_bpb=1.2 - n / 50,
            bytes_total=1_000_000 * n, steps=10)
        for n in (2, 5, 17) for name in ("", "e<m>a")
    ]  # fmt: skip
    found.append(Row("s", "f", {"num_layers": 9}, "stopped", val_bpb=2.5, clock=10.0))
    found.append(Row("x", "f", {"num_layers": 1}, "failed", problem="no <script> here"))
    return found


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_page(tmp_path):
    text = page(rows(), ABOUT, 3)
    parser = Tags()
    parser.feed(text)
    assert parser.open == [] and "script" not in parser.seen and not re.search(r"(src|href)=", text)
    assert "a&lt;b&gt;" in text and "no &lt;script&gt; here" in text and "3 trials of other sources" in text
    assert text.count("<polyline") == 7, "every trial with a score"
    assert text.count("stroke-dasharray") == 1 and "6 finished, 1 stopped, 1 failed" in text
    assert "Best that fits: <b>1.100000 BPB</b>, 5,000,000 bytes" in text, "17 MB do not fit"
    assert text.count("<circle") == 6 and '<path d="M' not in text, "trials of a sweep are no curve"


def test_a_page_of_nothing():
    assert "no trials" in page([], ABOUT, 0)
    assert "1 failed" in page(rows()[-1:], ABOUT, 0)


def test_columns():
    numbers = Column("n", [2, 4, None])
    assert [numbers.height(one) for one in (2, 3, 4, None)] == [0, 0.5, 1, None]
    words = Column("w", ["b", "", "a", True])
    assert [words.height(one) for one in ("", "b")] == [0, 1] and words.marks[0] == ("none", 0)
    assert Column("n", [3, 3]).height(3) == 0 and Column("n", []).height(None) is None


def test_points_are_grouped_by_their_plugins():
    assert [(one["series"], one["settings"]) for one in points(rows()[:2])] == [
        ("recipe", {"num_layers": 2}),
        ("e<m>a", {"num_layers": 2}),
    ]
