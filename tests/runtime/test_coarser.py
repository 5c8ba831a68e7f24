"""The search for bytes, with levers and sizes that are formulas."""

import pytest
import torch

from pgolf.runtime.coarser import CLOSE, FACTOR, Trial, changes, search_clips
from pgolf.runtime.levers import Levers

COUNT = 64 * 50


class Formula:
    """Requantizing that only notes the factor; the error grows with its square."""

    def encode(self, name, more):
        return {"codes": torch.zeros(64, 50, dtype=torch.int8), "factor": more[FACTOR]}

    def correct(self, encoded):
        return encoded

    def error(self, name, parts):
        return (1.0 + (name == "blocks.1.w")) * float(parts.get("factor", torch.tensor(1.0))) ** 2


def size_of(encoded):
    """Bytes: five bits a code, less those of the factors, with a little that no line knows."""
    logs = torch.stack([torch.log2(parts.get("factor", torch.tensor(1.0))).float() for parts in encoded.values()])
    return int(COUNT * (10 - logs.sum().item()) / 8 + 20 * (logs.sum().item() % 0.1))


def begin(most=2.0, each="tensor"):
    encoded = {f"blocks.{layer}.w": {"codes": torch.zeros(64, 50, dtype=torch.int8)} for layer in range(2)}
    levers = Levers(encoded, Formula(), "lqer", each, most, "blocks.")
    return Trial(0.0, *levers.at(0.0), encoded, size_of(encoded)), levers


@pytest.mark.parametrize("share", [0.99, 0.95, 0.85])
def test_the_bytes_are_just_under_the_target(share):
    first, levers = begin()
    target = int(share * first.size)
    found = search_clips(first, size_of, Formula(), levers, target, 4, "lqer")
    assert (1 - 2 * CLOSE) * target < found.size <= target
    assert found.factors["blocks.0.w"] >= found.factors["blocks.1.w"] >= 1, "where an error is dearer the clip is finer"


def test_the_coarsest_where_nothing_fits():
    first, levers = begin(most=1.1)
    found = search_clips(first, size_of, Formula(), levers, first.size // 2, 4, "lqer")
    assert set(found.factors.values()) == {1.1} and found.size > first.size // 2


def test_the_number_of_measurements_is_kept():
    first, levers = begin()
    sizes = []
    search_clips(first, lambda encoded: sizes.append(1) or 10**9, Formula(), levers, first.size - 100, 3, "lqer")
    assert 1 <= len(sizes) <= 3


def test_what_is_said_of_it():
    first, levers = begin(each="class")
    found = search_clips(first, size_of, Formula(), levers, int(0.9 * first.size), 4, "lqer")
    text = changes(levers, found, "class", Formula(), "lqer")
    factor = found.factors["blocks.0.w"]
    assert f"2 of 2 matrices up to {factor:.3f} times as coarse, w {factor:.3f}, weighted error" in text
    assert text.endswith(f"{factor**2:.3f} times as large")
