"""Layer i reads its normed input divided by the root of i + 1."""

import math

import pytest
import torch

from pgolf.testing import Ledger, make_model, scramble, tiny_context, tiny_tokens


@pytest.mark.parametrize("layer", [0, 1, 3, 8])
def test_the_formula(layer):
    model, ledger = make_model("ln_scale").model, Ledger()
    (scale,) = model.program.branch_inputs
    n = torch.randn(2, 3, 64)
    found = scale(model, n, layer, 5, tiny_context(ledger=ledger))
    torch.testing.assert_close(found, n / math.sqrt(layer + 1))
    assert ledger.receipt("ln_scale") == "1 branches"


def test_it_has_no_parameters_and_acts_on_both_branches_of_every_layer():
    plain, scaled, ledger = make_model(), make_model("ln_scale"), Ledger()
    assert plain.model.state_dict().keys() == scaled.model.state_dict().keys()
    ids, targets = tiny_tokens()
    loss = scramble(scaled.model)(ids, targets, ledger=ledger)
    assert ledger.receipt("ln_scale") == "8 branches"
    assert loss != scramble(plain.model)(ids, targets)


def test_the_first_layer_is_as_it_was():
    model = make_model("ln_scale").model
    (scale,) = model.program.branch_inputs
    n = torch.randn(2, 3, 64)
    assert torch.equal(scale(model, n, 0, 0, tiny_context()), n)
