from functools import partial

import pytest
import torch
from simulated import ALONE, program, scalars

from pgolf import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.settings import SettingsView
from pgolf_plugins.optimizer.block_lars import apply_taps, scale_by_trust
from pgolf_plugins.optimizer.muon import Muon
from pgolf_plugins.optimizer.parallel_muon import ParallelMuon


def random(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def scale(weight, update, trust=0.5):
    ledger = Ledger()
    names = ("w",) * (weight.shape[0] if weight.ndim == 3 else 1)
    scale_by_trust(weight, update, names, 0.1, scalars(), ledger, trust, tall=False)
    assert ledger.receipt("block_lars") == "1 updates"
    return update


def test_matrix_by_matrix_in_float64():
    weight, update = random(3, 8, 4) * torch.tensor([1e-3, 1.0, 50.0])[:, None, None], random(3, 8, 4, seed=2)
    kept, found = weight.clone(), scale(weight, update.clone())
    assert torch.equal(weight, kept), "weights are the optimizer's to change"
    for matrix, plain, scaled in zip(weight.double(), update.double(), found, strict=True):
        expected = plain * 0.5 * (matrix**2).sum().sqrt() / (plain**2).sum().sqrt()
        torch.testing.assert_close(scaled.double(), expected, rtol=1e-5, atol=0)


def test_members_of_a_bank_are_as_matrices_alone():
    weight, update = random(3, 8, 4), random(3, 8, 4, seed=2).bfloat16()
    found = scale(weight, update.clone())
    for matrix, plain, scaled in zip(weight, update, found, strict=True):
        assert torch.equal(scale(matrix, plain.clone()), scaled)


def test_zeros_neither_stop_nor_blow_up_an_update():
    """A projection that starts at zero takes the plain step; padding stays zero."""
    update = random(3, 8, 4)
    update[1] = 0
    weight = random(3, 8, 4)
    weight[0] = 0
    found = scale(weight, update.clone())
    assert torch.equal(found[0], update[0]) and not found[1].any() and found.isfinite().all()


@pytest.mark.parametrize("shape", [(8, 4), (4, 8)])
@pytest.mark.parametrize("size", [1e-2, 1.0, 30.0])
@pytest.mark.parametrize("kind", ["muon", "parallel_muon"])
def test_the_learning_rate_is_the_relative_change(kind, size, shape):
    """For tall and wide matrices, alone and in banks."""
    start = size * random(3, *shape)
    settings = SettingsView({"block_lars_trust": 0.5}, {"block_lars", kind})
    taps = (partial(scale_by_trust, **apply_taps(settings).arguments),)
    banks = kind == "parallel_muon"
    weights = [torch.nn.Parameter(part.clone()) for part in ([start] if banks else start)]
    muon = (ParallelMuon if banks else Muon)(0.25, 5)
    with torch.no_grad():
        names = [("a", "b", "c")] if banks else [("a",), ("b",), ("c",)]
        muon.bind(weights, names, program(apply_taps=taps), ALONE)
        for index, weight in enumerate(weights):
            weight.grad = random(*weight.shape, seed=3 + index)
        muon.launch()
        muon.step(scalars(lr_mul=0.5), Ledger())
    for before, after in zip(start, torch.stack(weights).detach().view_as(start), strict=True):
        assert ((after - before).norm() / before.norm()).item() == pytest.approx(0.25 * 0.5 * 0.5, rel=0.02)


def test_no_trust_is_refused():
    with pytest.raises(PgolfError, match="more than 0"):
        apply_taps(SettingsView({"block_lars_trust": 0.0}, {"block_lars"}))
