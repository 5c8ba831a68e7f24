"""Windows against the public scripts' tables, and the promise behind them: every target is scored exactly once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline_vectors import load_case

from pgolf.runtime.evaluate import chunk_spans, rank_share
from pgolf_plugins.eval.sliding_eval import SlidingWindows


@pytest.mark.parametrize("name", ["X1_chunks_base_1000_16_ws2", "X1_chunks_base_1025_64_ws8"])
def test_chunks_match_the_public_script(name):
    case = load_case(name)
    given_sizes = case.params
    seq_len, world_size = given_sizes["seq_len"], given_sizes["ws"]
    rows_per_batch = given_sizes["val_batch"] // (world_size * given_sizes["ga"]) // seq_len
    spans = chunk_spans(given_sizes["n_tokens"], seq_len)
    found = []
    for rank in range(world_size):
        mine = rank_share(spans, rank, world_size)
        for at in range(0, len(mine), rows_per_batch):
            batch = mine[at : at + rows_per_batch]
            found.append([rank, batch[0].start, len(batch), seq_len])
    assert found == case.outputs["batches"].tolist()
    assert sum(span.end - span.start for span in spans) == case.outputs["scored"].item()


@pytest.mark.parametrize(
    "name",
    ["X2_windows_pr1394_1000_64_16_ws1", "X2_windows_pr1394_1001_128_64_ws2", "X2_windows_pr1394_300_64_64_ws1"],
)
def test_sliding_windows_match_the_public_script(name):
    case = load_case(name)
    table = case.outputs["windows"]
    found = SlidingWindows(case.params["stride"]).spans(case.params["n_tokens"], case.params["seq_len"])
    world_size = case.params["ws"]
    rows = []
    for rank in range(world_size):
        rows += [[rank, span.start, span.end, span.first] for span in rank_share(found, rank, world_size)]
    assert rows == normalised(table.tolist())


def normalised(rows):
    """The stored rows as [rank, start, end, first offset]."""
    return [[rank, start, start + length, first] for rank, start, length, first, _ in rows]


@given(st.integers(2, 400), st.integers(1, 64), st.integers(1, 80))
def test_every_target_is_scored_exactly_once(num_tokens, seq_len, stride):
    seen = []
    for start, end, first in SlidingWindows(stride).spans(num_tokens, seq_len):
        assert 0 < end - start <= seq_len
        seen += range(start + first, end)
    assert seen == list(range(num_tokens - 1))


@given(st.integers(2, 400), st.integers(1, 64), st.integers(1, 8))
def test_ranks_share_all_windows(num_tokens, seq_len, world_size):
    spans = chunk_spans(num_tokens, seq_len)
    assert [span for rank in range(world_size) for span in rank_share(spans, rank, world_size)] == spans
