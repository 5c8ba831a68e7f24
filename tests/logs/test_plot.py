import pytest
from foreign import baseline_log, compact_log

from pgolf.errors import PgolfError
from pgolf.logs import parse_log
from pgolf.logs.plot import limits, page, png, svg, ticks
from pgolf.logs.table import MOST_POINTS, Curve, curves, full, summary, thin


def test_curves_of_several_runs():
    made = curves({"a": parse_log(baseline_log(1)), "b": parse_log(compact_log(2))})
    assert [(curve.name, curve.kind, len(curve.points)) for curve in made] == [
        ("a", "train", 3),
        ("a", "val", 2),
        ("b", "train", 1),
        ("b", "val", 1),
    ]


def test_thinning_keeps_the_last_point_and_drops_what_is_not_finite():
    points = [(float(step), 1.0) for step in range(10_000)]
    assert len(thin(points)) <= MOST_POINTS + 1 and thin(points)[-1] == points[-1]
    assert thin([(1.0, float("nan")), (2.0, float("inf")), (3.0, 1.0)]) == [(3.0, 1.0)]
    assert thin([]) == []


def test_a_page_has_the_drawing_and_escapes_names():
    text = page(curves({"<b>&": parse_log(baseline_log(1))}))
    assert "<svg" in text and "&lt;b&gt;&amp;" in text and "<b>&" not in text
    assert (
        "http:" not in text.replace("http://www.w3.org/2000/svg", "") and "https" not in text and "<script" not in text
    )


def test_one_point_is_drawn():
    assert "nan" not in svg([Curve("a", "train", [(1.0, 2.0)])])
    assert limits([Curve("a", "train", [(1.0, 2.0)])]) == (1.0, 2.0, 2.0, 3.0)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (2.31, 2.87), (0, 20_000), (1e-6, 2e-6)])
def test_ticks_are_few_and_inside(low, high):
    found = ticks(low, high)
    assert 2 <= len(found) <= 8 and all(low - 1e-12 <= value <= high + 1e-12 for value in found)


def test_png_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(PgolfError, match="needs matplotlib") as caught:
        png([Curve("a", "train", [(1.0, 2.0)])])
    assert "pgolf[plot]" in caught.value.hint


def test_a_picture_has_its_size_and_both_kinds_of_line():
    made = png(curves({"a": parse_log(baseline_log(1)), "b": parse_log(compact_log(2))}))
    assert made[:8] == b"\x89PNG\r\n\x1a\n" and made[12:16] == b"IHDR"
    width, height = (int.from_bytes(made[at : at + 4], "big") for at in (16, 20))
    assert width > height > 300


def test_records_for_json():
    record = parse_log(baseline_log(5, 1.08))
    assert summary(record)["val_bpb"] == 1.08 and full(record)["record"]["seed"] == 5
