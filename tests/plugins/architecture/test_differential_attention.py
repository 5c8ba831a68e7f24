"""Differential attention by an explicit softmax, distances, documents, and refusals."""

import pytest
import torch
from models import built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.context import Context
from pgolf.runtime.segments import run_core


def attend(q, k, v):
    """Causal attention of one head (T, C), written out."""
    scores = (q @ k.T) / q.size(1) ** 0.5
    scores = scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -torch.inf)
    return scores.softmax(-1) @ v


@torch.no_grad()
def test_both_halves_of_every_head_by_hand():
    model = scramble(built("differential_attention").model)
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(1, 9, heads, 16, generator=generator) for heads in (4, 2, 2))
    ctx = Context(None, (), True, model.matrices(), {}, {}, None, None, None)
    found = run_core(model, q, k, v, 1, 1, ctx)
    for head in range(4):
        kv = head // 2
        one, two = (attend(q[0, :, head, p::2], k[0, :, kv, p::2], v[0, :, kv, p::2]) for p in (0, 1))
        share = model.blocks[1].attn.diff_lambda[head]
        torch.testing.assert_close(found[0, :, head], torch.cat((one - share * two, one + share * two), -1))


@pytest.mark.parametrize(("plugins", "sizes"), [((), {}), (("partial_rope",), {"rope_dims": 8})])
@torch.no_grad()
def test_a_document_scores_alike_wherever_it_stands_in_a_row(plugins, sizes):
    """Rotation runs on through the row: only a split that keeps rotated pairs whole makes that harmless."""
    model = scramble(built("differential_attention", "document_numbers", *plugins, **sizes).model).eval()
    ids, targets = tokens(1, 24)
    ids[0, 9] = 1
    alone = model(ids[:, 9:], targets[:, 9:], reduction="none")
    torch.testing.assert_close(model(ids, targets, reduction="none")[:, 9:], alone, rtol=1e-4, atol=1e-4)


def test_it_works_around_windows_and_starts_at_one_half():
    made = built("differential_attention", "swa", swa_window=4, swa_full_attn_layers=2)
    ids, targets = tokens()
    assert made.model(ids, targets).isfinite() and made.model.blocks[0].attn.diff_lambda.tolist() == [0.5] * 4


def test_heads_that_cannot_be_halved_are_refused():
    with pytest.raises(PgolfError, match="width is a multiple of 4"):
        resolved("differential_attention", model_dim=72)
    with pytest.raises(PgolfError, match="rope_dims is 6, wanted a multiple of 4"):
        resolved("differential_attention", "partial_rope", rope_dims=6)
    with pytest.raises(PgolfError, match="attention_core"):
        resolved("differential_attention", "paired_head_attention")
