"""The dense attention gate against the public script, and its start."""

import pytest
import torch
from gates import check_core
from models import built, resolved

from pgolf.errors import PgolfError


def test_attention_core_matches_the_public_script():
    check_core("gate_dense_xsa1_varlen0", "dense_attention_gate")


def test_weights_start_small_so_that_heads_start_half_open():
    weight = built("dense_attention_gate", gated_attn_init_std=0.005).model.blocks[2].attn.attn_gate_w
    assert weight.shape == (4, 64) and weight.std().item() == pytest.approx(0.005, rel=0.2)
    assert torch.sigmoid(weight @ torch.ones(64)).sub(0.5).abs().max() < 0.1


@pytest.mark.parametrize("other", ["gated_attention", "sparse_attention_gate"])
def test_two_gates_are_refused(other):
    with pytest.raises(PgolfError, match="both gate"):
        resolved("dense_attention_gate", other)
