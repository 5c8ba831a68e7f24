"""Each query head has a gain of its own; keys have none."""

import torch

from pgolf.testing import Ledger, make_model, scramble, tiny_context, tiny_tokens


def test_each_head_is_scaled():
    model, ledger = scramble(make_model("qk_gain").model), Ledger()
    (tap,) = model.program.query_key_taps
    q, k = torch.randn(2, 3, 4, 16), torch.randn(2, 3, 2, 16)
    scaled, keys = tap(model, q, k, None, 3, 3, tiny_context(model, ledger=ledger))
    gain = model.matrices()["blocks.3.attn.q_gain"]
    assert torch.equal(keys, k) and ledger.receipt("qk_gain") == "1 layers"
    for head in range(4):
        torch.testing.assert_close(scaled[:, :, head], gain[head] * q[:, :, head])


def test_the_start_is_a_setting():
    for start in (1.5, 5.25):
        weights = make_model("qk_gain", qk_gain_init=start).model.matrices()
        gains = [tensor for name, tensor in weights.items() if "q_gain" in name]
        assert len(gains) == 4 and all(gain.tolist() == [start] * 4 for gain in gains)


def test_a_gain_of_one_is_none():
    ids, targets = tiny_tokens()
    models = [make_model("qk_gain", qk_gain_init=1.0).model, make_model(remove=["qk_gain"]).model]
    for model in models:
        scramble(model)
    with torch.no_grad():
        for layer in range(4):
            models[0].matrices()[f"blocks.{layer}.attn.q_gain"].fill_(1.0)
        for name, tensor in models[1].matrices().items():
            tensor.copy_(models[0].matrices()[name])
    assert torch.equal(models[0](ids, targets), models[1](ids, targets))
