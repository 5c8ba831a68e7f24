"""Numbers behind the page: only finite ones, few enough to draw, and nothing that a folder does not say."""

import math

import pytest
from folders import make_folder
from toy_claims import LOG, rewrite

from pgolf.verify.folder import View
from pgolf.verify.outputs_details import POINTS, Details, details, thin


def test_a_good_folder(folder):
    found = details(View(folder, lambda: None))
    code = (folder / "train_gpt.py").stat().st_size
    assert (found.name, found.author, found.claimed, found.cap) == ("toy", "A", 1.25, 16_000_000)
    assert (found.code_bytes, found.model_bytes) == (code, 1000)
    assert found.seeds == [("seed 1337", 1.25)] and found.train == {"seed 1337": [(1.0, 3.0)]}
    assert found.val["seed 1337"][0] == (2.0, 2.5)


def test_what_a_folder_does_not_say_stays_empty(tmp_path):
    (tmp_path / "empty").mkdir()
    found = details(View(tmp_path / "empty", lambda: None))
    assert found == Details(cap=16_000_000)


@pytest.mark.parametrize("value", ["x", None, True, [1], 10**400, math.inf])
def test_a_claim_that_is_no_number_is_none(folder, value):
    rewrite(folder, val_bpb=None if value == math.inf else value, name=7)
    found = details(View(folder, lambda: None))
    assert found.claimed is None and found.name == ""


def test_two_logs_of_one_seed_keep_apart(tmp_path):
    folder = make_folder(tmp_path / "toy")
    (folder / "logs/again.log").write_text((folder / LOG).read_text())
    found = details(View(folder, lambda: None))
    assert len(found.train) == 2 and "seed 1337" in found.train


def test_curves_keep_their_ends_and_their_order():
    points = [(step, 1.0 / (step + 1)) for step in range(1000)]
    kept = thin(points)
    assert len(kept) == POINTS and kept[0] == points[0] and kept[-1] == points[-1] and kept == sorted(kept)
    assert thin(points[:POINTS]) == points[:POINTS]


def test_points_that_are_no_numbers_go():
    assert thin([(1, "nan"), (2, "3.5"), ("x", 1), (3, None), (4, 1e300)]) == [(2.0, 3.5)]
