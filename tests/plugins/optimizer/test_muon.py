from functools import partial

import torch
from pipeline_vectors import load_case
from simulated import ALONE, ThreadGroup, program, scalars

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.optimizer.muon import Muon
from pgolf_plugins.optimizer.muon_weight_decay import decay_matrix


def run(case, world, weight_decay=None):
    """Weights after every step, and the optimizer; every rank has the averaged gradients."""
    params = case.params
    weights = [torch.nn.Parameter(case.inputs[f"W:{name}"].clone()) for name in params["names"]]
    muon, ledger, history = Muon(params["lr"], params["backend_steps"]), Ledger(), []
    taps = () if weight_decay is None else (partial(decay_matrix, weight_decay=weight_decay),)
    with torch.no_grad():
        muon.bind(weights, [(name,) for name in params["names"]], program(apply_taps=taps), world)
        for step in range(params["steps"]):
            for name, weight in zip(params["names"], weights, strict=True):
                weight.grad = case.inputs[f"G:{name}"][step].clone()
            muon.launch()
            muon.step(scalars(params["mul"][step], params["momentum"][step]), ledger)
            history.append([weight.detach().clone() for weight in weights])
    return history, muon, ledger


def check(case, history, buffers):
    """The stated bound: 0.05 lr per step on weights, 1e-6 on momentum."""
    params = case.params
    for index, name in enumerate(params["names"]):
        for step in range(params["steps"]):
            difference = (history[step][index] - case.outputs[f"W{step + 1}:{name}"]).abs().max()
            assert difference <= 0.05 * params["lr"] * params["steps"]
        if index in buffers:
            torch.testing.assert_close(buffers[index], case.outputs[f"M:{name}"], rtol=1e-6, atol=1e-7)


def test_baseline_trajectory():
    case = load_case("O1_muon_baseline_a")
    history, muon, ledger = run(case, ALONE)
    check(case, history, dict(enumerate(muon.buffers)))
    assert ledger.receipt("muon") == "9 matrix updates"


def test_two_ranks_share_the_work_and_agree(monkeypatch):
    case = load_case("O1_muon_baseline_a")
    alone, _, _ = run(case, ALONE)
    results = ThreadGroup(2).run(monkeypatch, lambda world: run(case, world))
    for rank, (history, muon, _) in enumerate(results):
        owned = {index: muon.buffers[index] for index in range(rank, 3, 2)}
        check(case, history, owned)
        for weights, wanted in zip(history, alone, strict=True):
            for weight, other in zip(weights, wanted, strict=True):
                assert torch.equal(weight, other)


def test_weight_decay_trajectory():
    case = load_case("O3_muon_wd_a")
    history, _, ledger = run(case, ALONE, case.params["wd"])
    check(case, history, {})
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
    _, muon, _ = run(case, ALONE)
    assert any(buffer.any() for buffer in muon.buffers)
    muon.bind([torch.nn.Parameter(torch.ones(2, 3))], [("w",)], program(), ALONE)
    assert len(muon.buffers) == 1 and not muon.buffers[0].any()
