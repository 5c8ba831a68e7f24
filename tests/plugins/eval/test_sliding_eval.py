"""Overlapping windows: each target once, with long context; tables of the public scripts are in test_windows.py."""

import pytest

from pgolf.errors import PgolfError
from pgolf.testing import resolve_tiny
from pgolf_plugins.eval.sliding_eval import SlidingWindows


@pytest.mark.parametrize(
    ("tokens", "length", "stride"),
    [(101, 20, 4), (101, 20, 20), (101, 20, 7), (21, 20, 4), (5, 20, 4), (2, 20, 1), (100, 1, 1)],
)
def test_targets_by_walking_over_them(tokens, length, stride):
    """Target t belongs to the first window that ends behind it."""
    scored = {}
    for span in SlidingWindows(stride).spans(tokens, length):
        assert span.end - span.start <= length
        for target in range(span.start + span.first, span.end):
            assert target not in scored
            scored[target] = target - span.start
    assert sorted(scored) == list(range(tokens - 1))
    assert all(context >= length - stride for target, context in scored.items() if target >= length)
    assert all(context == target for target, context in scored.items() if target < length)


def test_a_stride_above_the_length_is_the_length():
    assert SlidingWindows(64).spans(101, 20) == SlidingWindows(20).spans(101, 20)


def test_a_stride_of_nothing_is_refused():
    with pytest.raises(PgolfError, match="eval_stride"):
        resolve_tiny("sliding_eval", eval_stride=0)
