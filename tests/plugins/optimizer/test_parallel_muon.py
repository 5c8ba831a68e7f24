import torch
from pipeline_vectors import load_case
from simulated import ALONE, ThreadGroup, program, scalars
from trajectories import check_banks, run_banks

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.optimizer.newton_schulz import iterate_newton_schulz
from pgolf_plugins.optimizer.parallel_muon import ParallelMuon


def test_one_rank_follows_the_vectors():
    case = load_case("O6_parallel_muon_ws1_a")
    history, banks, ledger = run_banks(case, ALONE)
    check_banks(case, history)
    assert all(bank.momentum.dtype == torch.bfloat16 for bank in banks.values())
    assert ledger.receipt("parallel_muon") == "8 bank updates"
    assert ledger.receipt("muon_weight_decay") == "8 tensors decayed"


def test_four_ranks_follow_the_vectors(monkeypatch):
    case = load_case("O6_parallel_muon_ws4_a")
    results = ThreadGroup(4).run(monkeypatch, lambda world: run_banks(case, world))
    for history, _, _ in results:
        check_banks(case, history)
    for name in case.params["names"]:
        momentum = torch.cat([banks[name].momentum for _, banks, _ in results])
        wanted = case.outputs[f"M_padded:{name}"]
        assert (momentum.float() - wanted.float()).abs().max() <= 1e-2 * wanted.float().abs().max()
        update, wanted = results[0][1][name].gathered.float(), case.outputs[f"update:{name}"].float()
        assert (update - wanted).norm() <= 0.15 * wanted.norm()
        count = case.inputs[f"W:{name}"].shape[0]
        assert not update[count:].any() and not momentum[count:].any()


def test_one_step_by_a_slower_route():
    """Matrix by matrix in float64, from the definition."""
    generator = torch.Generator().manual_seed(3)
    start, gradient = torch.randn(3, 8, 4, generator=generator), torch.randn(3, 8, 4, generator=generator)
    bank = torch.nn.Parameter(start.clone())
    bank.grad = gradient.clone()
    muon = ParallelMuon(0.1, 5)
    muon.bind([bank], [("a", "b", "c")], program(), ALONE)
    with torch.no_grad():
        muon.launch()
        muon.step(scalars(lr_mul=0.5, momentum=0.9), Ledger())
    for index in range(3):
        update = iterate_newton_schulz(1.9 * gradient[index].double(), 5, False)
        expected = start[index] - 0.1 * 0.5 * 2**0.5 * update
        assert (bank[index] - expected).abs().max() <= 0.12 * 0.05 * 2**0.5


def test_largest_bank_first_and_equal_ones_in_order():
    small, first, second = torch.zeros(1, 2, 2), torch.zeros(2, 2, 2), torch.ones(2, 2, 2)
    muon = ParallelMuon(0.1, 5)
    muon.bind([small, first, second], [("a",), ("b", "c"), ("d", "e")], program(), ALONE)
    assert [bank.weight is tensor for bank, tensor in zip(muon.banks, (first, second, small), strict=True)] == [
        True
    ] * 3


def test_a_lone_matrix_is_a_bank_of_one():
    bank, matrix = torch.nn.Parameter(torch.zeros(1, 4, 6)), torch.nn.Parameter(torch.zeros(4, 6))
    bank.grad = torch.randn(1, 4, 6, generator=torch.Generator().manual_seed(1))
    matrix.grad = bank.grad[0].clone()
    muon = ParallelMuon(0.1, 5)
    muon.bind([bank, matrix], [("a",), ("b",)], program(), ALONE)
    with torch.no_grad():
        muon.launch()
        muon.step(scalars(), Ledger())
    assert matrix.any() and torch.equal(bank[0], matrix)


def test_a_missing_gradient_counts_as_zeros():
    bank = torch.nn.Parameter(torch.ones(2, 4, 4))
    muon = ParallelMuon(0.1, 5)
    muon.bind([bank], [("a", "b")], program(), ALONE)
    with torch.no_grad():
        muon.launch()
        muon.step(scalars(), Ledger())
    assert torch.equal(bank, torch.ones(2, 4, 4))


def test_binding_again_forgets_everything():
    case = load_case("O6_parallel_muon_ws1_a")
    muon = ParallelMuon(case.params["lr"], case.params["backend_steps"])
    weights = []
    for _ in range(2):
        bank = torch.nn.Parameter(case.inputs["W:kv"].clone())
        muon.bind([bank], [tuple("abcdefgh"[: len(bank)])], program(), ALONE)
        bank.grad = case.inputs["G:kv"][0][0].clone()
        with torch.no_grad():
            muon.launch()
            muon.step(scalars(), Ledger())
        weights.append(bank.detach().clone())
    assert torch.equal(weights[0], weights[1])


def test_nothing_to_update():
    muon = ParallelMuon(0.1, 5)
    muon.bind([], [], program(), ALONE)
    muon.launch()
    muon.step(scalars(), Ledger())
