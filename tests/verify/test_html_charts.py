"""Charts as inline SVG: well formed, to scale, and with every text escaped."""

import re
import xml.etree.ElementTree as ET

import pytest

from pgolf.verify.html_charts import WIDTH, bytes_bar, curves, line, rect, seed_plot, svg, text

NAME = "{http://www.w3.org/2000/svg}"


def drawn(picture, tag):
    return list(ET.fromstring(picture).iter(f"{NAME}{tag}"))


def texts(picture):
    return [node.text for node in drawn(picture, "text")]


def test_texts_are_escaped_and_titles_are_said():
    picture = svg(10, "<b>&", [text(1, 2, "<script>")])
    root = ET.fromstring(picture)
    assert root.get("aria-label") == "<b>&" == root.find(f"{NAME}title").text and texts(picture) == ["<script>"]
    assert "<script>" not in picture


def test_a_box_is_never_negative():
    assert 'width="0.0"' in rect(1, 2, -5, 3, "red") and 'x1="1.0"' in line(1, 2, 3, 4)


@pytest.mark.parametrize(
    ("code", "model", "said"), [(100, 800, "100 left"), (100, 900, "0 left"), (200, 900, "100 over")]
)
def test_bytes_are_to_scale_with_the_cap(code, model, said):
    picture = bytes_bar(code, model, 1000)
    assert texts(picture)[1].endswith(said)
    ground, first, second = drawn(picture, "rect")
    scale = (WIDTH - 20) / max(code + model, 1000)
    assert float(first.get("width")) == pytest.approx(model * scale, abs=0.1)
    assert float(second.get("width")) == pytest.approx(code * scale, abs=0.1)
    assert float(second.get("x")) == pytest.approx(float(first.get("x")) + float(first.get("width")), abs=0.2)
    assert float(ground.get("width")) == WIDTH - 20
    assert (first.get("fill") == "#dc2626") is ("over" in said)


def test_nothing_at_all_is_drawn_too():
    assert "0 bytes; 0 left" in texts(bytes_bar(0, 0, 0))[1]


def test_seeds_stand_in_the_order_of_their_scores():
    picture = seed_plot([("one", 1.10), ("two", 1.12), ("three", 1.11)], 1.105)
    places = [float(node.get("cx")) for node in drawn(picture, "circle")]
    assert places[0] < places[2] < places[1] and places[3] == pytest.approx(places[2], abs=0.1), "the mean is last"
    assert "claimed 1.105" in texts(picture) and "mean 1.11, standard deviation 0.01" in picture
    assert "claimed" not in seed_plot([("one", 1.1)], None)


def test_equal_scores_have_a_place():
    picture = seed_plot([("a", 1.1), ("b", 1.1)], 1.1)
    assert not re.search("nan|inf", picture) and len(drawn(picture, "circle")) == 3


def test_curves_fall_from_the_top_to_the_bottom():
    picture = curves({"a": [(0, 9.0), (50, 4.0), (100, 2.0)]}, "loss")
    (path,) = drawn(picture, "polyline")
    points = [tuple(map(float, pair.split(","))) for pair in path.get("points").split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert points[0][1] == 20.0 and points[1][1] == 20.0 and points[2][1] == 225.0, "the first steps leave at the top"
    assert {"4", "2", "step 100"} <= set(texts(picture))


@pytest.mark.parametrize("lines", [{}, {"a": []}, {"a": [(0, 0.0)]}, {"a": [(5, 2.0), (5, 2.0)]}])
def test_few_points_break_nothing(lines):
    picture = curves(lines, "loss")
    assert len(drawn(picture, "polyline")) == len(lines) and not re.search("nan|inf", picture)
