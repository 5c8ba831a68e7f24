from functools import partial

import torch
from pipeline_vectors import load_case
from simulated import ALONE, ThreadGroup, program, scalars
from trajectories import check_matrices, run_matrices

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.optimizer.muon import Muon
from pgolf_plugins.optimizer.muon_weight_decay import decay_matrix


def test_baseline_trajectory():
    case = load_case("O1_muon_baseline_a")
    history, muon, ledger = run_matrices(case, ALONE)
    check_matrices(case, history, dict(enumerate(muon.buffers)))
    assert ledger.receipt("muon") == "9 matrix updates"


def test_two_ranks_share_the_work_and_agree(monkeypatch):
    case = load_case("O1_muon_baseline_a")
    alone, _, _ = run_matrices(case, ALONE)
    results = ThreadGroup(2).run(monkeypatch, lambda world: run_matrices(case, world))
    for rank, (history, muon, _) in enumerate(results):
        owned = {index: muon.buffers[index] for index in range(rank, 3, 2)}
        check_matrices(case, history, owned)
        for weights, wanted in zip(history, alone, strict=True):
            for weight, other in zip(weights, wanted, strict=True):
                assert torch.equal(weight, other)


def test_weight_decay_trajectory():
    case = load_case("O3_muon_wd_a")
    history, _, ledger = run_matrices(case, ALONE, case.params["wd"])
    check_matrices(case, history, {})
    assert ledger.receipt("muon_weight_decay") == "9 tensors decayed"


def test_decay_comes_before_the_update_and_follows_both_schedules():
    weight = torch.full((2, 2), 3.0)
    decay_matrix(weight, weight, ("w",), 0.1, scalars(weight_decay_mul=0.5), Ledger(), 0.2)
    torch.testing.assert_close(weight, torch.full((2, 2), 3.0 * (1 - 0.1 * 0.2 * 0.5)))
    parameter = torch.nn.Parameter(torch.eye(2))
    muon = Muon(1.0, 5)
    muon.bind([parameter], [("w",)], program(apply_taps=(partial(decay_matrix, weight_decay=1.0),)), ALONE)
    parameter.grad = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    with torch.no_grad():
        muon.step(scalars(), Ledger())
    assert parameter.diag().max() < -0.5  # decay alone empties it; the update then takes it below zero


def test_update_taps_see_the_nesterov_update():
    seen = []

    def tap(update, names, ledger):
        seen.append(update.clone())
        return -update

    parameter = torch.nn.Parameter(torch.zeros(2, 3))
    parameter.grad = torch.ones(2, 3)
    muon = Muon(0.1, 5)
    muon.bind([parameter], [("w",)], program(update_taps=(tap,)), ALONE)
    with torch.no_grad():
        muon.step(scalars(momentum=0.5), Ledger())
    assert torch.equal(seen[0], torch.full((2, 3), 1.5))
    assert (parameter > 0).all()


def test_binding_again_forgets_the_momentum():
    case = load_case("O1_muon_baseline_a")
    _, muon, _ = run_matrices(case, ALONE)
    assert any(buffer.any() for buffer in muon.buffers)
    muon.bind([torch.nn.Parameter(torch.ones(2, 3))], [("w",)], program(), ALONE)
    assert len(muon.buffers) == 1 and not muon.buffers[0].any()
