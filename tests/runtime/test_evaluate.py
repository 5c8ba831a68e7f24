"""Windows, their shares of ranks and batches, and the rows that the tally gets."""

import functools
import operator

import pytest
import torch

from pgolf.runtime.distributed import World
from pgolf.runtime.evaluate import Span, chunk_spans, deal_batches, rank_share, span_rows

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("tokens", "length", "number"), [(33, 8, 4), (32, 8, 3), (8, 8, 0), (9, 8, 1), (1, 8, 0), (9, 1, 8)]
)
def test_whole_windows_side_by_side(tokens, length, number):
    spans = chunk_spans(tokens, length)
    assert len(spans) == number and all(
        span == Span(at * length, (at + 1) * length, 0) for at, span in enumerate(spans)
    )
    assert not spans or spans[-1].end <= tokens - 1, "each input has a target"


@pytest.mark.parametrize("world", [1, 2, 3, 7, 20])
def test_shares_are_contiguous_and_differ_by_one_at_most(world):
    items = list(range(13))
    shares = [rank_share(items, rank, world) for rank in range(world)]
    assert functools.reduce(operator.iadd, shares, []) == items and max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("deterministic", [False, True])
def test_every_window_is_dealt_once(deterministic, monkeypatch):
    monkeypatch.setattr(torch, "are_deterministic_algorithms_enabled", lambda: deterministic)
    spans = chunk_spans(23 * 4 + 1, 4)
    ranks = [deal_batches(spans, 3, World(rank, 4, 0, CPU)) for rank in range(4)]
    dealt = [span for batches in ranks for batch in batches for span in batch]
    assert dealt == spans and all(len(batch) <= 3 for batches in ranks for batch in batches)
    alone = deal_batches(spans, 3, World(0, 1, 0, CPU))
    joined = [batch for batches in ranks for batch in batches]
    assert (joined == alone) is deterministic, "deterministic kernels get the batches of one rank alone"


def test_rows_are_padded_on_the_right_and_below():
    places, scored = span_rows([Span(4, 8, 0), Span(6, 9, 2)], 3, 4)
    assert places.tolist() == [[4, 5, 6, 7, 8], [6, 7, 8, 9, 0], [0] * 5] and places.dtype == torch.int64
    assert scored.tolist() == [[True] * 4, [False, False, True, False], [False] * 4]
