"""The stand-in of FlashAttention against torch's own attention."""

import pytest
import torch
import torch.nn.functional as F

from pgolf.probe.inside.attention_stand_in import (
    attention_module,
    flash_attn_func,
    flash_attn_qkvpacked_func,
    flash_attn_varlen_func,
    visible,
)


def rows(tokens, heads, seed):
    return torch.randn(2, tokens, heads, 8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("causal", [True, False])
def test_equals_torch(causal):
    q, k, v = rows(12, 4, 1), rows(12, 2, 2), rows(12, 2, 3)
    wanted = F.scaled_dot_product_attention(
        *(part.transpose(1, 2) for part in (q, k, v)), is_causal=causal, enable_gqa=True
    ).transpose(1, 2)
    assert torch.allclose(flash_attn_func(q, k, v, causal=causal), wanted, atol=1e-5)


def test_sequences_of_many_lengths_are_alone():
    q, k, v = rows(12, 4, 1)[0], rows(12, 4, 2)[0], rows(12, 4, 3)[0]
    ends = torch.tensor([0, 5, 5, 12])
    found = flash_attn_varlen_func(q, k, v, ends, ends, 7, 7, causal=True)
    for start, end in ((0, 5), (5, 12)):
        part = flash_attn_func(q[None, start:end], k[None, start:end], v[None, start:end], causal=True)[0]
        assert torch.allclose(found[start:end], part, atol=1e-6)


def test_windows():
    assert visible(4, 4, True, (1, 0)).int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    assert visible(1, 3, True, (-1, -1)).int().tolist() == [[1, 1, 1]]


def test_module():
    module = attention_module("flash_attn_interface")
    qkv = torch.stack([rows(6, 2, 1)] * 3, dim=2)
    assert torch.equal(flash_attn_qkvpacked_func(qkv), module.flash_attn_func(*qkv.unbind(2)))
