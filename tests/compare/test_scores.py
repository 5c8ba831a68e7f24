"""Paired where seeds are shared, Welch's where not, and no test on too little."""

import pytest

from pgolf.compare.scores import compare_scores, two_sided


def test_seeds_of_both_are_pairs():
    found = compare_scores({1: 1.0, 2: 1.2, 3: 1.1}, {1: 0.9, 2: 1.11, 3: 1.02, 4: 7.0})
    assert found.test == "paired t over 3 seeds" and found.difference == pytest.approx(-0.09)
    assert 0 < found.p < 0.01


def test_unknown_seeds_pair_with_none():
    found = compare_scores({-1: 1.0, -2: 1.2}, {-1: 0.5, -2: 0.6})
    assert found.test == "Welch's t" and found.difference == pytest.approx(-0.55)


def test_too_little_is_no_test():
    assert compare_scores({1: 1.0}, {1: 2.0}) == (type(compare_scores({}, {})))(
        1.0, None, "no test: two seeds a side are wanted"
    )
    assert compare_scores({}, {1: 2.0}).difference is None
    assert compare_scores({1: 1.0, 2: 2.0}, {1: 2.0, 2: 3.0}).p is None


def test_both_tails():
    assert [two_sided(tail) for tail in (0.5, 0.01, 0.99)] == pytest.approx([1.0, 0.02, 0.02])
