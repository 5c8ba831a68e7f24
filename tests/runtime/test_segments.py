"""Attention in stretches of a row against a mask over the whole row."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from ttt import golden_session

from pgolf.runtime.context import Context
from pgolf.runtime.segments import attend_in_segments, find_starts, lay_side_by_side


@pytest.mark.parametrize("starts", [[0], [0, 1], [0, 5, 6, 16], [0, 19]])
def test_stretches_are_a_block_diagonal_causal_mask(starts):
    session, generator = golden_session("ttt_phased_2ph"), torch.Generator().manual_seed(5)
    q, k, v = (torch.randn(1, 20, heads, 16, generator=generator) for heads in (4, 2, 2))
    segments = lay_side_by_side(starts, 20, torch.device("cpu"))
    ctx = Context(None, (), False, {}, {}, {"segments": segments}, None, None, None)
    found = attend_in_segments(session.model, q, k, v, 0, 0, ctx._replace(ledger=session.ledger))
    owner = torch.zeros(20).index_fill(0, torch.tensor(starts), 1).cumsum(0)
    mask = (owner[:, None] == owner) & torch.ones(20, 20).tril().bool()
    wanted = F.scaled_dot_product_attention(
        q.transpose(1, 2),
        k.transpose(1, 2).repeat_interleave(2, 1),
        v.transpose(1, 2).repeat_interleave(2, 1),
        attn_mask=mask,
    )
    torch.testing.assert_close(found, wanted.transpose(1, 2))


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 12))
def test_starts_by_walking_along_the_row(begins, longest):
    wanted, age = [], longest
    for place, begin in enumerate(begins):
        if begin or age == longest:
            wanted.append(place)
            age = 0
        age += 1
    assert find_starts(torch.tensor(begins), longest) == wanted
