"""One matrix for queries, keys and values is the same model as three, adapters included, and what cannot go with it."""

import pytest
import torch
from lora import Lora
from models import built, resolved, scramble, tokens

from pgolf.errors import PgolfError


@torch.no_grad()
def pair():
    """(fused model, the same one with three matrices)."""
    fused, apart = built("fused_qkv", "xsa", "value_residual"), built("xsa", "value_residual")
    scramble(fused.model)
    state = fused.model.state_dict()
    for layer in range(4):
        rows = state.pop(f"blocks.{layer}.attn.c_qkv.weight").split((64, 32, 32))
        for role, part in zip(("c_q", "c_k", "c_v"), rows, strict=True):
            state[f"blocks.{layer}.attn.{role}.weight"] = part
    apart.model.load_state_dict(state, strict=True)
    return fused, apart


def test_one_product_is_three_with_gradients():
    fused, apart = pair()
    ids, targets = tokens()
    for made in (fused, apart):
        made.model(ids, targets).backward()
    wanted = torch.cat([getattr(apart.model.blocks[2].attn, role).weight.grad for role in ("c_q", "c_k", "c_v")])
    torch.testing.assert_close(fused.model.blocks[2].attn.c_qkv.weight.grad, wanted, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_adapters_act_on_queries_keys_and_values_apart():
    ids, targets = tokens()
    scores = []
    lora = Lora(built().model, built().program.layer_plan(()), 2, zero=False)
    for made in pair():
        scores.append(made.model.eval()(ids, targets, reduction="none", adapter=lora))
    torch.testing.assert_close(*scores, rtol=1e-4, atol=1e-4)


def test_calibration_sees_one_matrix():
    made, seen = built("fused_qkv"), set()
    ids, targets = tokens()
    made.model(ids, targets, observe=lambda role, layer, x: seen.add(role))
    assert seen == {"attn.c_qkv", "attn.proj", "mlp.fc", "mlp.proj", "head"}


def test_what_cannot_go_with_it_is_refused():
    with pytest.raises(PgolfError, match="pairs of heads are found by the names"):
        resolved("fused_qkv", "paired_muon")
    with pytest.raises(PgolfError, match="which banks stores in qo_bank"):
        resolved("fused_qkv", "banks")
    with pytest.raises(PgolfError, match="attn_out_gate_src is 'q', wanted proj"):
        resolved("fused_qkv", "attention_output_gate", attn_out_gate_src="q")
