"""Tiny models for the tests of plugins: made as a run makes them, and the same every time."""

import torch

from pgolf.testing import Ledger, make_model, resolve_tiny, scramble, tiny_context, tiny_tokens
from pgolf.testing.models import TINY, known_plugins


def test_a_model_has_the_sizes_that_are_asked_for():
    made = make_model(num_layers=2, model_dim=32)
    assert made.model.matrices()["blocks.1.mlp.fc.weight"].shape == (64, 32) and made.settings.num_layers == 2
    assert make_model().model.matrices()["tok_emb.weight"].shape == (TINY["vocab_size"], TINY["model_dim"])
    assert made.model.training and made.phases == () and made.program is made.model.program


def test_the_same_seed_gives_the_same_model():
    one, two, other = (make_model(seed=seed).model.matrices() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_plugins_come_and_go():
    assert "value_residual" in resolve_tiny("value_residual").entry
    assert "apply_qk_gain" in resolve_tiny().entry and "apply_qk_gain" not in resolve_tiny(remove=["qk_gain"]).entry
    assert make_model("layer_loop", num_loops=1, loop_start=1, loop_end=2).phases == ("loop",)


def test_a_model_of_an_entry_module():
    entry = resolve_tiny(num_layers=2).entry
    assert make_model(entry=entry).settings.num_layers == 2


def test_scrambled_weights_hide_nothing_and_depend_on_the_seed():
    one, two, other = (scramble(make_model().model, seed) for seed in (0, 0, 1))
    assert all(tensor.any() and tensor.std() > 0.1 for tensor in one.parameters() if tensor.numel() > 8)
    assert all(map(torch.equal, one.parameters(), two.parameters()))
    assert not all(map(torch.equal, one.parameters(), other.parameters()))


def test_tokens_are_a_stream():
    ids, targets = tiny_tokens(3, 10)
    assert ids.shape == targets.shape == (3, 10) and torch.equal(ids[:, 1:], targets[:, :-1])
    assert ids.min() >= 4 and ids.max() < 256 and not torch.equal(ids, tiny_tokens(3, 10, seed=1)[0])


def test_a_context_has_the_models_weights_and_a_ledger():
    model, ledger = make_model().model, Ledger()
    ctx = tiny_context(model, ledger=ledger, training=False, phases=("loop",))
    assert set(ctx.weights) == set(model.matrices()) and not ctx.training and ctx.phases == ("loop",)
    assert ctx.ledger is ledger and tiny_context().weights == {}


def test_plugins_are_loaded_once():
    assert known_plugins() is known_plugins() and "muon" in known_plugins().plugins
