"""FlexAttention by hand against torch's own, which a CPU has without gradients."""

import pytest
import torch
from torch.nn.attention.flex_attention import BlockMask, create_block_mask
from torch.nn.attention.flex_attention import flex_attention as reference

from pgolf.probe.inside.flex_stand_in import flex_attention

DOCS = (torch.arange(150) // 40).int()


def causal(b, h, q, k):
    return q >= k


def documents(b, h, q, k):
    return (q >= k) & (DOCS[q] == DOCS[k]) & (q - k < 30)


def biased(score, b, h, q, k):
    return score - 0.1 * (q - k).abs() * (h + 1)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("mask", "bias"), [(causal, None), (documents, None), (None, biased), (causal, biased)])
def test_against_torch(mask, bias):
    torch.manual_seed(0)
    q, k, v = torch.randn(1, 4, 150, 16), torch.randn(1, 2, 150, 16), torch.randn(1, 2, 150, 16)
    made = None if mask is None else create_block_mask(mask, None, None, 150, 150, device="cpu")
    wanted = reference(q, k, v, bias, made, enable_gqa=True, scale=0.2)
    found, sums = flex_attention(q.requires_grad_(), k, v, bias, made, enable_gqa=True, scale=0.2, return_lse=True)
    assert torch.allclose(found, wanted, atol=1e-5) and sums.shape == (1, 4, 150)
    found.sum().backward()
    assert q.grad is not None


def test_whole_blocks_need_no_function():
    counts, indices = torch.tensor([[[1, 1]]], dtype=torch.int32), torch.tensor([[[[0, 1], [1, 0]]]], dtype=torch.int32)
    full, places = torch.tensor([[[0, 1]]], dtype=torch.int32), torch.tensor([[[[0, 1], [0, 1]]]], dtype=torch.int32)
    mask = BlockMask.from_kv_blocks(counts, indices, full, places, BLOCK_SIZE=4, mask_mod=causal)
    q = torch.zeros(1, 1, 8, 4)
    out = flex_attention(q, q, torch.eye(8)[None, None], block_mask=mask)[0, 0]
    assert torch.equal(out > 0, torch.ones(8, 8, dtype=torch.bool).tril())
