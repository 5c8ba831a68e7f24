"""Python numbers keep the scores in them."""

import math

import numpy as np
import pytest

from pgolf.probe.inside.groups import Group, Tracked, group_of, keep, kept_sum


def one(birth, value):
    return Tracked(value, Group.one(birth, value))


def parts(number):
    return {int(b): float(v * s) for bs, vs, s, _ in number.group.chunks for b, v in zip(bs, vs, strict=True)}


def test_sums_and_multiples():
    total = 0.0
    for birth, value in ((1, 2.0), (2, 4.0), (3, 6.0)):
        total += one(birth, value)
    mean = keep(total) / 3
    assert mean == 4.0 and parts(mean) == pytest.approx({1: 2 / 3, 2: 4 / 3, 3: 2.0})
    assert parts(-mean)[1] == pytest.approx(-2 / 3) and parts(1.0 - mean)[3] == -2.0


def test_a_score_alone_may_be_bent_and_a_sum_may_not():
    score = one(5, 2.0)
    mixed = 0.5 * 2.0 ** (-score) + 0.25
    assert mixed == 0.375 and parts(mixed) == {5: 0.375}
    assert group_of((score + one(6, 1.0)) ** 2) is None


def test_printing_is_reported(monkeypatch):
    seen = []
    monkeypatch.setattr(Tracked, "report", staticmethod(lambda value, text, group: seen.append((text, group.single))))
    assert f"{one(3, 1.23456):.2f} {one(4, 2.0)}" == "1.23 2.0"
    assert seen == [("1.23", 3), ("2.0", 4)]


def test_comparing_totals_is_noted(monkeypatch):
    seen = []
    monkeypatch.setattr(Tracked, "compared", staticmethod(lambda first, second: bool(seen.append(1))))
    assert min(one(1, 3.0), one(2, 2.0)) == 2.0 and min(math.inf, one(1, 3.0)) == 3.0
    assert seen == [1]


def test_numbers_without_scores_stay_floats():
    assert type(keep("1.5")) is float and keep(np.float32(2)) == 2.0 and keep() == 0.0
    assert kept_sum([1.0, one(2, 2.0)]) == 3.0
