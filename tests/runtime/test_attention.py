"""The attention branch by its definition, one query head at a time, and its masks."""

import math

import pytest
import torch

from pgolf.runtime.attention import attention_branch, dense_attention, masked_attention, window_mask
from pgolf.runtime.layers import rms_norm
from pgolf.testing import make_model, scramble, tiny_context


def by_hand(q, k, v, seen):
    """Softmax over the keys that `seen(t, s)` lets a query see."""
    length, heads = q.shape[1], q.shape[2]
    y = torch.zeros_like(q)
    for h in range(heads):
        mine = h // (heads // k.shape[2])
        for t in range(length):
            keys = [s for s in range(length) if seen(t, s)]
            scores = q[:, t, h] @ k[0, keys, mine].T / math.sqrt(q.shape[-1])
            y[:, t, h] = scores.softmax(-1) @ v[0, keys, mine]
    return y


def sample(length=6):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(1, length, heads, 8, generator=generator) for heads in (4, 2, 2)]


@pytest.mark.parametrize("window", [-1, 0, 1, 3, 5, 9])
def test_a_query_sees_itself_and_a_window_before_it(window):
    q, k, v = sample()
    reach = 99 if window < 0 else window
    wanted = by_hand(q, k, v, lambda t, s: 0 <= t - s <= reach)
    torch.testing.assert_close(dense_attention(q, k, v, window, tiny_context()), wanted)


def test_any_mask():
    q, k, v = sample()
    mask = torch.eye(6, dtype=torch.bool) | torch.tensor([True, False, False, False, False, False])
    torch.testing.assert_close(masked_attention(q, k, v, mask), by_hand(q, k, v, lambda t, s: s in (0, t)))


def test_a_mask_is_made_once_for_a_forward():
    ctx = tiny_context()
    mask = window_mask(5, 2, torch.device("cpu"), ctx)
    assert mask.tolist() == [[0 <= t - s <= 2 for s in range(5)] for t in range(5)]
    assert window_mask(5, 2, torch.device("cpu"), ctx) is mask
    assert window_mask(5, 1, torch.device("cpu"), ctx) is not mask


def test_the_branch_is_projections_norms_rotation_attention_and_a_projection():
    model = scramble(make_model(remove=["qk_gain"]).model)
    ctx, weights = tiny_context(model), model.matrices()
    n = torch.randn(1, 6, 64)
    q, k, v = (n @ weights[f"blocks.1.attn.c_{name}.weight"].T for name in "qkv")
    q, k, v = q.view(1, 6, 4, 16), k.view(1, 6, 2, 16), v.view(1, 6, 2, 16)
    q, k = (model.program.rotary(model, rms_norm(part), 1, 1, ctx) for part in (q, k))
    wanted = by_hand(q, k, v, lambda t, s: s <= t).flatten(2) @ weights["blocks.1.attn.proj.weight"].T
    torch.testing.assert_close(attention_branch(model, n, 1, 1, ctx), wanted, rtol=1e-4, atol=1e-5)
