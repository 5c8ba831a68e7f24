"""Drawings: well formed for odd numbers, in the width they are given, in colours of the page."""

import re
from functools import partial
from xml.etree import ElementTree

import pytest

from pgolf.charts import COLOURS, bytes_bar, colours_of, curves, legend, responsive, seed_plot, ticks

ODD = (
    partial(bytes_bar, 0, 0, 0),
    partial(bytes_bar, 10**12, 10**12, 16_000_000),
    partial(seed_plot, [("a", 1.0)], None),
    partial(seed_plot, [("a", 1.0), ("b", 1.0)], 1.0),
    partial(seed_plot, [("a", 1e11), ("b", -1e11)], 0.0),
    partial(curves, {"a": [(0, 1.0), (0, 1.0)]}, "t"),
    partial(curves, {"a": [(-5, 1e11), (1e11, -1e11)]}, "t"),
    partial(curves, {}, "t"),
)


@pytest.mark.parametrize("draw", ODD)
@pytest.mark.parametrize("width", [640, 340])
def test_odd_numbers_are_drawn_inside_the_frame(draw, width):
    drawing = draw(width=width)
    root = ElementTree.fromstring(drawing)
    assert not re.search(r"\b(nan|inf)\b", drawing)
    assert root.get("viewBox").split()[2] == str(width)
    for mark in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(mark.get("x")) >= -1 and float(mark.get("x")) + float(mark.get("width")) <= width + 1


def test_the_bar_says_what_is_left_and_what_is_over():
    assert "6 bytes left under the cap of 20" in bytes_bar(4, 10, 20) and "4 bytes over" in bytes_bar(4, 20, 20)


def test_ticks_are_round_and_few():
    assert ticks(0.0, 1.0) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ticks(3.21, 3.29) == pytest.approx([3.22, 3.24, 3.26, 3.28])
    for low, high in ((0.0, 7.3), (1.07, 1.09), (-5.0, 1e6), (3.21, 3.2901)):
        found = ticks(low, high)
        assert 2 <= len(found) <= 6 and all(low <= value <= high * (1 + 1e-9) for value in found)


def test_a_line_keeps_its_colour_in_the_legend():
    lines = {f"run {number}": [(0, 1.0), (9, number + 2.0)] for number in range(9)}
    drawing, names = curves(lines, "t"), legend(colours_of(lines))
    assert drawing.count("<polyline") == 9 and names.count("<li>") == 9
    assert COLOURS[0] in drawing and names.count(COLOURS[0]) == 2
    assert "&lt;b&gt;" in legend({"<b>": COLOURS[0]})


def test_one_drawing_for_each_width():
    found = responsive(partial(bytes_bar, 1, 2, 4))
    assert 'viewBox="0 0 640' in found and 'viewBox="0 0 340' in found
