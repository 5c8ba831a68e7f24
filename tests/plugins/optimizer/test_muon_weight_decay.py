"""Decoupled weight decay: W <- (1 - lr wd m) W, whatever the update."""

import pytest
import torch

from pgolf.runtime.progress import Scalars
from pgolf.testing import Ledger, make_model
from pgolf_plugins.optimizer.muon_weight_decay import decay_matrix


def scalars(multiplier):
    return Scalars(**{**dict.fromkeys(Scalars._fields, 0.0), "weight_decay_mul": multiplier})


@pytest.mark.parametrize(
    ("lr", "decay", "multiplier"),
    [(0.02, 0.04, 1.0), (0.02, 0.085, 0.5), (0.0, 0.04, 1.0), (0.02, 0.0, 1.0)],
)
def test_the_formula(lr, decay, multiplier):
    tensor, update, ledger = torch.randn(3, 5), torch.randn(3, 5), Ledger()
    before, same = tensor.clone(), update.clone()
    decay_matrix(tensor, update, ("a",), lr, scalars(multiplier), ledger, weight_decay=decay)
    torch.testing.assert_close(tensor, before - lr * decay * multiplier * before)
    assert torch.equal(update, same) and ledger.receipt("muon_weight_decay") == "1 tensors decayed"


def test_many_steps_shrink_by_their_product():
    tensor = torch.ones(4, 4, dtype=torch.float64)
    for _ in range(100):
        decay_matrix(tensor, tensor, ("a",), 0.02, scalars(1.0), Ledger(), weight_decay=0.04)
    torch.testing.assert_close(tensor, torch.full((4, 4), (1 - 0.02 * 0.04) ** 100, dtype=torch.float64))


def test_a_bank_decays_as_a_whole():
    bank, ledger = torch.ones(3, 2, 2), Ledger()
    decay_matrix(bank, bank, ("a", "b", "c"), 0.5, scalars(1.0), ledger, weight_decay=0.5)
    assert bank.unique().tolist() == [0.75] and ledger.receipt("muon_weight_decay") == "1 tensors decayed"


def test_the_setting_reaches_the_component():
    (tap,) = make_model("muon_weight_decay", muon_wd=0.25).program.apply_taps
    tensor = torch.ones(2, 2)
    tap(tensor, tensor, ("a",), 1.0, scalars(1.0), Ledger())
    assert tensor.unique().tolist() == [0.75]
