import random
import sys

import pytest

from pgolf.errors import PgolfError
from pgolf.requant.pareto import check_plots, front, page, png, write_plots


def points(count=40, seed=3):
    draw = random.Random(seed)
    return [
        {
            "series": f"<{number % 3}>",
            "settings": {"k": str(number)},
            "bytes_total": draw.randrange(900, 1000) * 1000,
            "val_bpb": draw.randrange(90, 110) / 100,
        }
        for number in range(count)
    ]


def test_the_front_is_what_nothing_else_beats():
    found = points()
    wanted = [
        one
        for one in found
        if not any(
            other["bytes_total"] <= one["bytes_total"]
            and other["val_bpb"] <= one["val_bpb"]
            and (other["bytes_total"], other["val_bpb"]) != (one["bytes_total"], one["val_bpb"])
            for other in found
        )
    ]
    assert {(one["bytes_total"], one["val_bpb"]) for one in front(found)} == {
        (one["bytes_total"], one["val_bpb"]) for one in wanted
    }
    assert front([]) == []


def test_a_page_has_every_point_and_nothing_of_a_name_is_markup():
    found = points()
    text = page(found, 950_000)
    assert text.count("<circle") == len(found) == text.count("<tr>") - 1
    assert "<0>" not in text and "&lt;0&gt;" in text and "<title>cap</title>" in text
    assert "cap" not in page(found, 16_000_000).replace("escape", "")


def test_one_point_is_a_picture_too(tmp_path):
    write_plots([tmp_path / "one.html"], points(1), 1)
    assert (tmp_path / "one.html").read_text().count("<circle") == 1


def test_a_png_without_matplotlib_is_one_line_before_the_sweep(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(PgolfError, match="matplotlib"):
        png(points(), 1)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(PgolfError, match="matplotlib"):
        check_plots([tmp_path / "x.png"])
    check_plots([tmp_path / "x.html"])


@pytest.mark.slow
def test_a_png_is_one(tmp_path):
    pytest.importorskip("matplotlib")
    write_plots([tmp_path / "p.png"], points(), 950_000)
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
