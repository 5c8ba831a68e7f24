import pytest
import torch
from simulated import ALONE, ThreadGroup, program, scalars

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.optimizer.cautious_weight_decay import decay_cautiously
from pgolf_plugins.optimizer.parallel_muon import ParallelMuon


def test_only_what_the_update_shrinks_decays():
    tensor = torch.tensor([[2.0, -2.0, 2.0, -2.0, 0.0, 2.0]])
    update = torch.tensor([[1.0, 1.0, -1.0, -1.0, 1.0, 0.0]])
    ledger = Ledger()
    decay_cautiously(tensor, update, ("w",), 0.5, scalars(weight_decay_mul=0.5), ledger, weight_decay=0.4)
    assert tensor.tolist() == [[pytest.approx(1.8), -2.0, 2.0, pytest.approx(-1.8), 0.0, 2.0]]
    assert ledger.receipt("cautious_weight_decay") == "1 tensors decayed"


def decay(tensor, update, names, lr, scalars, ledger):
    """The tap as a recipe makes it."""
    decay_cautiously(tensor, update, names, lr, scalars, ledger, weight_decay=0.5)


class Signs:
    """An orthogonalizer that rounds alike in batches of any size."""

    name = "signs"

    def __call__(self, update, names, steps):
        return update.sign().bfloat16()


def step(world):
    """Three banks after one step; every rank has the same gradients."""
    generator, muon = torch.Generator().manual_seed(3), ParallelMuon(0.1, 5)
    banks = [torch.nn.Parameter(torch.randn(3, rows, 4, generator=generator)) for rows in (8, 4, 2)]
    gradients = [torch.randn(bank.shape, generator=generator) for bank in banks]
    with torch.no_grad():
        muon.bind(banks, [("a", "b", "c")] * 3, program(apply_taps=(decay,), orthogonalizer=Signs()), world)
        for bank, gradient in zip(banks, gradients, strict=True):
            bank.grad = gradient.clone()
        muon.launch()
        muon.step(scalars(), Ledger())
    return [bank.detach().clone() for bank in banks]


def test_every_bank_decays_cautiously_whatever_the_number_of_ranks(monkeypatch):
    alone = step(ALONE)
    for banks in ThreadGroup(2).run(monkeypatch, step):
        for bank, wanted in zip(banks, alone, strict=True):
            assert torch.equal(bank, wanted)
