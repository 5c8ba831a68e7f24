"""The sparse attention gate against the public script and head by head."""

import pytest
import torch
from gates import check_core
from models import built, resolved, scramble

from pgolf.errors import PgolfError
from pgolf.runtime.context import Context


@pytest.mark.parametrize("name", ["gate_sparse_xsa1_varlen0", "gate_sparse_xsa0_varlen0"])
def test_attention_core_matches_the_public_script(name):
    check_core(name, "sparse_attention_gate", sparse_attn_gate_scale=0.5)


@torch.no_grad()
def test_every_head_has_its_own_factor_from_the_first_channels():
    model = scramble(built("sparse_attention_gate", gate_window=3, sparse_attn_gate_scale=2.0).model)
    (tap,) = model.program.attention_outputs
    y, n = torch.randn(1, 5, 4, 16), torch.randn(1, 5, 64)
    ctx = Context(None, (), True, model.matrices(), {}, {}, None, None, None)
    found = tap(model, y, None, n, 1, 1, ctx)
    weight = model.blocks[1].attn.attn_gate_w
    for t in range(5):
        for head in range(4):
            factor = 1 / (1 + torch.exp(-2.0 * sum(weight[head, c] * n[0, t, c] for c in range(3))))
            torch.testing.assert_close(found[0, t, head], factor * y[0, t, head])


def test_heads_start_half_open():
    model = built("sparse_attention_gate").model
    (tap,) = model.program.attention_outputs
    ctx = Context(None, (), True, model.matrices(), {}, {}, None, None, None)
    y = torch.randn(1, 5, 4, 16)
    assert torch.equal(tap(model, y, None, torch.randn(1, 5, 64), 0, 0, ctx), y / 2)


def test_what_cannot_work_is_refused():
    with pytest.raises(PgolfError, match="gate_window is 65, wanted at most 64"):
        resolved("sparse_attention_gate", gate_window=65)
    with pytest.raises(PgolfError, match="wanted another number: at 0"):
        resolved("sparse_attention_gate", sparse_attn_gate_scale=0)
    with pytest.raises(PgolfError, match="both gate"):
        resolved("sparse_attention_gate", "gated_attention")
