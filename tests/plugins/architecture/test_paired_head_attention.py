"""Paired heads by an explicit softmax over both heads' keys, windows, documents, and refusals."""

import pytest
import torch
from models import built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.context import Context
from pgolf.runtime.segments import run_core


def seen(t, s, window, start):
    """(token, head of the pair) of the keys that query head `s` of the pair sees at token `t`."""
    places = range(max(2 * start, 2 * t + s - window), 2 * t + s + 1)
    return [(place // 2, place % 2) for place in places]


@pytest.mark.parametrize("window", [100, 5])
@torch.no_grad()
def test_every_query_by_hand(window):
    """Four query heads in two pairs read two key/value heads, which are one pair."""
    kernel = ("swa",) if window == 5 else ()
    sizes = {"swa_window": 5, "swa_full_attn_layers": 0} if kernel else {}
    model = built("paired_head_attention", *kernel, **sizes).model
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(1, 9, heads, 16, generator=generator) for heads in (4, 2, 2))
    found = run_core(model, q, k, v, 1, 1, Context(None, (), True, {}, {}, {}, None, None, None))
    for t in range(9):
        for head in range(4):
            places = seen(t, head % 2, window, 0)
            keys, values = (torch.stack([x[0, token, s] for token, s in places]) for x in (k, v))
            want = (keys @ q[0, t, head] / 4).softmax(0) @ values
            torch.testing.assert_close(found[0, t, head], want, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_a_document_scores_alike_wherever_it_stands_in_a_row():
    model = scramble(built("paired_head_attention", "document_numbers").model).eval()
    ids, targets = tokens(1, 24)
    ids[0, [9, 15]] = 1
    alone = model(ids[:, 9:15], targets[:, 9:15], reduction="none")
    torch.testing.assert_close(model(ids, targets, reduction="none")[:, 9:15], alone, rtol=1e-4, atol=1e-4)


def test_what_a_kernel_keeps_for_other_rows_is_left_alone():
    """Masks of the doubled row do not get into the forward's own memo."""
    model = built("paired_head_attention", "swa", swa_window=4, swa_full_attn_layers=2).model
    ctx = Context(None, (), True, {}, {}, {}, None, None, None)
    x = torch.randn(1, 8, 4, 16)
    run_core(model, x, x[:, :, :2], x[:, :, :2], 0, 0, ctx)
    assert list(ctx.memo) == ["paired heads"] and ctx.memo["paired heads"]


def test_odd_numbers_of_heads_are_refused():
    with pytest.raises(PgolfError, match="num_kv_heads is 1, wanted an even number"):
        resolved("paired_head_attention", num_kv_heads=1)
    with pytest.raises(PgolfError, match="num_heads is 1, wanted an even number"):
        resolved("paired_head_attention", num_heads=1, num_kv_heads=1)
