import pytest
import torch
from simulated import ALONE, ThreadGroup, newton_schulz, program, scalars

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.optimizer.muon import Muon
from pgolf_plugins.optimizer.normuon import RowMoments
from pgolf_plugins.optimizer.parallel_muon import ParallelMuon

NAMES = ("blocks.0.mlp.fc.weight", "blocks.1.mlp.fc.weight", "blocks.2.mlp.fc.weight")


def started(beta=0.9):
    tap = RowMoments(beta)
    tap.restart()
    return tap


def updates(steps, *shape, seed=1):
    return torch.randn(steps, *shape, generator=torch.Generator().manual_seed(seed))


def test_row_by_row_in_float64():
    """The definition, for a batch whose members know nothing of each other."""
    tap, moments, ledger = started(), torch.zeros(3, 4, dtype=torch.float64), Ledger()
    for step in updates(5, 3, 4, 6):
        found = tap(step.clone(), NAMES, ledger)
        for index in range(3):
            normed = torch.empty(4, 6, dtype=torch.float64)
            for row in range(4):
                values = step[index, row].double()
                moments[index, row] = 0.9 * moments[index, row] + 0.1 * (values**2).sum() / 6
                normed[row] = values / moments[index, row].sqrt()
            expected = normed * step[index].double().norm() / normed.norm()
            torch.testing.assert_close(found[index].double(), expected, rtol=1e-5, atol=1e-6)
    assert ledger.receipt("normuon") == "5 updates"


def test_norms_stay_and_neurons_take_equal_steps():
    """Rows whose updates are always ten times as large come out alike."""
    tap = started(0.95)
    for step in updates(60, 8, 16) * torch.tensor([10.0] + [1.0] * 7)[:, None]:
        found = tap(step, ("w",), Ledger())
        torch.testing.assert_close(found.norm(), step.norm())
    assert (step[0].norm() / step[1:].norm(dim=-1).mean()) > 8
    assert 0.6 < found[0].norm() / found[1:].norm(dim=-1).mean() < 1.6


def test_zeros_and_padding_stay_zero():
    tap = started()
    for step in updates(3, 2, 4, 6).bfloat16():
        step[1], step[0, 2] = 0, 0
        found = tap(step, ("w", ""), Ledger())
        assert found.dtype == torch.bfloat16 and found.isfinite().all()
        assert not found[1].any() and not found[0, 2].any() and found[0, 0].any()


def test_a_restart_forgets():
    tap, (first, second) = started(), updates(2, 4, 6)
    fresh = tap(first, ("w",), Ledger())
    later = tap(second, ("w",), Ledger())
    tap.restart()
    assert torch.equal(tap(first, ("w",), Ledger()), fresh)
    tap.restart()
    assert not torch.equal(tap(second, ("w",), Ledger()), later)


def train(optimizer, tensors, names, world, gradients):
    """Weights after three steps; every rank gets the same gradients, which are then also their mean."""
    tap = started()
    optimizer.bind(tensors, names, program(orthogonal_taps=(tap,), orthogonalizer=newton_schulz(False)), world)
    for step in range(3):
        for tensor, gradient in zip(tensors, gradients, strict=True):
            tensor.grad = gradient[step].clone()
        optimizer.launch()
        optimizer.step(scalars(), Ledger())
    return tensors, tap


@pytest.mark.parametrize("world_size", [2, 4])
def test_a_rank_holds_the_moments_of_its_share_and_weights_do_not_depend_on_it(monkeypatch, world_size):
    gradients = [updates(3, 3, 8, 4).bfloat16().float()]

    def work(world):
        return train(ParallelMuon(0.1, 5), [torch.zeros(3, 8, 4)], [NAMES], world, gradients)

    with torch.no_grad():
        (alone,), _ = work(ALONE)
    results = ThreadGroup(world_size).run(monkeypatch, work)
    padded, share = (*NAMES, "", "", ""), -(-3 // world_size)
    for rank, ((bank,), tap) in enumerate(results):
        assert torch.equal(bank, alone)
        owned = padded[share * rank : share * (rank + 1)]
        assert [*tap.moments] == ([owned] if any(owned) else []), "nothing is kept for padding alone"


def test_matrices_and_banks_agree():
    gradients = updates(3, 3, 8, 4).bfloat16().float()
    with torch.no_grad():
        bank = train(ParallelMuon(0.1, 5), [torch.zeros(3, 8, 4)], [NAMES], ALONE, [gradients])[0][0]
        matrices = train(
            Muon(0.1, 5), [torch.zeros(8, 4) for _ in NAMES], [(name,) for name in NAMES], ALONE, gradients.unbind(1)
        )[0]
    # Momentum is bfloat16 in banks.
    assert (bank - torch.stack(matrices)).abs().max() <= 3 * 0.12 * 0.1 * 2**0.5
