"""A sigmoid of the branch input scales each head, and nearly nothing at the start."""

import math

import torch

from pgolf.testing import Ledger, make_model, scramble, tiny_context


def test_it_starts_at_the_sigmoid_of_four_everywhere():
    model, ledger = make_model("gated_attention").model, Ledger()
    y, n = torch.randn(2, 3, 4, 16), torch.randn(2, 3, 64)
    (gate,) = model.program.attention_outputs
    found = gate(model, y, y[:, :, :2], n, 1, 1, tiny_context(model, ledger=ledger))
    torch.testing.assert_close(found, y / (1 + math.exp(-4)))
    assert ledger.receipt("gated_attention") == "1 layers"


def test_each_head_of_each_token_has_its_own_gate():
    model = scramble(make_model("gated_attention").model)
    y, n = torch.randn(2, 3, 4, 16), torch.randn(2, 3, 64)
    (gate,) = model.program.attention_outputs
    found = gate(model, y, y[:, :, :2], n, 2, 2, tiny_context(model))
    weights = model.matrices()
    weight, bias = (weights[f"blocks.2.attn.attn_gate.{part}"] for part in ("weight", "bias"))
    for b, t, h in ((0, 0, 0), (1, 2, 3), (0, 1, 2)):
        score = (weight[h] * n[b, t]).sum() + bias[h]
        torch.testing.assert_close(found[b, t, h], y[b, t, h] / (1 + (-score).exp()))


def test_weight_and_bias_of_every_layer_are_control_tensors():
    records = [record for record in make_model("gated_attention").parameters if "attn_gate" in record.name]
    assert [(record.shape, record.quant, record.layers) for record in records] == [
        *(((4, 64), "control", 4), ((4,), "control", 4)),
    ]
