"""Low-rank factors: nothing while B is zero, the product of both otherwise, row by row."""

import pytest
import torch
from models import built, scramble, tokens

from pgolf.runtime.lora import Lora

SITES = ("attn.c_q", "attn.c_k", "attn.c_v", "attn.proj", "mlp.fc", "mlp.proj", "attn", "mlp", "head")


def made(rank=3, scale=0.5):
    model = scramble(built(num_layers=2).model).eval()
    lora = Lora(model, SITES, 2, 2, rank, scale)
    lora.reset(torch.Generator().manual_seed(3))
    return model, lora


def test_zero_factors_equal_none_bit_for_bit():
    model, lora = made()
    ids, targets = tokens()
    assert torch.equal(model(ids, targets, reduction="none"), model(ids, targets, reduction="none", adapter=lora))


@pytest.mark.parametrize("site", SITES)
def test_each_site_acts_on_its_own_row_and_learns(site):
    model, lora = made()
    ids, targets = tokens()
    plain = model(ids, targets, reduction="none")
    with torch.no_grad():
        lora.up[site, 0][1] += 0.3
    found = model(ids, targets, reduction="none", adapter=lora)
    assert torch.equal(found[0], plain[0]) and not torch.equal(found[1], plain[1])
    found.sum().backward()
    assert lora.down[site, 0].grad[1].abs().sum() > 0 and lora.up[site, 0].grad[0].abs().sum() > 0


def test_the_delta_is_the_scaled_product():
    _, lora = made()
    x = torch.randn(2, 5, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        lora.up["attn.c_k", 1].normal_(generator=torch.Generator().manual_seed(2))
        merged = lora.up["attn.c_k", 1] @ lora.down["attn.c_k", 1] * 0.5
        found = lora.delta(x, "attn.c_k", 1)
    torch.testing.assert_close(found, torch.stack([x[row] @ merged[row].T for row in range(2)]))


def test_factors_start_within_their_bound_and_again_alike():
    _, lora = made()
    first = lora.down["mlp.proj", 1].clone()
    assert 0 < first.abs().max() <= 128**-0.5 and not torch.equal(first[0], first[1])
    with torch.no_grad():
        lora.up["head", 0] += 1
    lora.reset()
    assert not lora.up["head", 0].any() and torch.equal(lora.down["mlp.proj", 1], first)
    lora.reset(torch.Generator().manual_seed(3))
    assert torch.equal(lora.down["mlp.proj", 1], first)
    assert len(lora.factors()) == 2 * (8 * 2 + 1)
