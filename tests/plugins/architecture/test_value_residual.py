"""Later layers add a share of the first layer's values."""

import torch

from pgolf.testing import Ledger, make_model, scramble, tiny_context, tiny_tokens


def test_the_first_layer_keeps_and_later_ones_add():
    model, ledger = scramble(make_model("value_residual").model), Ledger()
    (term,) = model.program.value_terms
    ctx = tiny_context(model, ledger=ledger)
    first, later = torch.randn(2, 3, 32), torch.randn(2, 3, 32)
    assert torch.equal(term(model, first, None, 0, 0, ctx), first) and ledger.receipt("value_residual") != "1 layers"
    found = term(model, later, None, 2, 2, ctx)
    alpha = model.matrices()["blocks.2.attn.vrl_alpha"]
    torch.testing.assert_close(found, later + first / (1 + (-alpha).exp()))
    assert ledger.receipt("value_residual") == "1 layers"


def test_it_starts_with_half_of_them():
    model = make_model("value_residual").model
    (term,) = model.program.value_terms
    ctx = tiny_context(model)
    term(model, torch.ones(1, 1, 32), None, 0, 0, ctx)
    assert term(model, torch.zeros(1, 1, 32), None, 1, 1, ctx).tolist() == [[[0.5] * 32]]


def test_each_forward_has_its_own_first_values():
    model = scramble(make_model("value_residual").model).eval()
    ids, targets = tiny_tokens()
    first = model(ids, targets)
    model(*tiny_tokens(seed=5))
    assert torch.equal(model(ids, targets), first)
