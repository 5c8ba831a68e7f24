"""Causal attention by its definition: softmax over the past, a group of query heads for each key head."""

import math

import torch

from pgolf.testing import Ledger, make_model, tiny_context


def by_hand(q, k, v):
    """Loops over queries and heads."""
    _, length, heads, width = q.shape
    y = torch.empty_like(q)
    for h in range(heads):
        mine = h // (heads // k.shape[2])
        for t in range(length):
            scores = torch.einsum("bc,bsc->bs", q[:, t, h], k[:, : t + 1, mine]) / math.sqrt(width)
            y[:, t, h] = torch.einsum("bs,bsc->bc", scores.softmax(-1), v[:, : t + 1, mine])
    return y


def sample(length=7):
    generator = torch.Generator().manual_seed(0)
    shapes = ((2, length, 4, 16), (2, length, 2, 16), (2, length, 2, 16))
    return [torch.randn(shape, generator=generator) for shape in shapes]


def test_the_formula():
    model, ledger = make_model().model, Ledger()
    q, k, v = sample()
    found = model.program.attention_kernel(model, q, k, v, 0, 0, tiny_context(ledger=ledger))
    torch.testing.assert_close(found, by_hand(q, k, v))
    assert ledger.receipt("causal_attention") == "1 layers"


def test_nothing_reads_what_comes_after():
    model = make_model().model
    q, k, v = sample()
    first = model.program.attention_kernel(model, q, k, v, 0, 0, tiny_context())
    for tensor in (q, k, v):
        tensor[:, 4:] = torch.randn(2, 3, tensor.shape[2], 16)
    second = model.program.attention_kernel(model, q, k, v, 0, 0, tiny_context())
    assert torch.equal(first[:, :4], second[:, :4]) and not torch.equal(first[:, 4:], second[:, 4:])


def test_the_first_token_sees_itself_alone():
    model = make_model().model
    q, k, v = sample(1)
    found = model.program.attention_kernel(model, q, k, v, 0, 0, tiny_context())
    torch.testing.assert_close(found, v.repeat_interleave(2, 2))
