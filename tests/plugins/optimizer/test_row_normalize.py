import pytest
import torch
from pipeline_vectors import load_case
from simulated import ALONE, program, scalars
from trajectories import check_banks, check_matrices, relative_error, run_banks, run_matrices

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.optimize import CompiledOrthogonalizer
from pgolf_plugins.optimizer.muon import Muon
from pgolf_plugins.optimizer.newton_schulz import iterate_newton_schulz
from pgolf_plugins.optimizer.paired_muon import PairedHeads
from pgolf_plugins.optimizer.parallel_muon import ParallelMuon
from pgolf_plugins.optimizer.polar_express import iterate_polar_express
from pgolf_plugins.optimizer.row_normalize import normalize_rows


def test_rows_follow_the_vectors():
    case = load_case("O7_rownorm_s5")
    for key, update in case.inputs.items():
        found = normalize_rows(update, ("w",), Ledger())
        assert found.dtype == update.dtype
        torch.testing.assert_close(found, case.outputs[key], rtol=1e-6, atol=0)


def test_every_row_has_length_one_and_a_row_of_zeros_stays():
    update = (
        torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(1)) * torch.tensor([1e-3, 1.0, 1e3, 0.0])[:, None]
    )
    lengths = normalize_rows(update, ("v", "w"), Ledger()).norm(dim=-1)
    torch.testing.assert_close(lengths, torch.tensor([1.0, 1.0, 1.0, 0.0]).expand(2, 4))


def test_trajectory_of_separate_matrices_with_weight_decay():
    case = load_case("O3_O7_muon_wd_rownorm_a")
    history, muon, ledger = run_matrices(case, ALONE, case.params["wd"], update_taps=(normalize_rows,))
    check_matrices(case, history, dict(enumerate(muon.buffers)))
    assert ledger.receipt("row_normalize") == "9 updates"


def test_trajectory_of_banks_with_polar_express():
    case = load_case("O6_O7_O9_parallel_muon_ws1_a")
    history, _, ledger = run_banks(
        case,
        ALONE,
        update_taps=(normalize_rows,),
        orthogonalizer=CompiledOrthogonalizer("polar_express", iterate_polar_express),
    )
    check_banks(case, history)
    assert ledger.receipt("row_normalize") == "8 updates"


@pytest.mark.parametrize("kind", ["matrix", "bank"])
def test_rows_then_pairs_then_norms(kind):
    """A tap sees whole matrices after Nesterov; what is orthogonalized are pairs of heads whose rows have length one."""
    seen = []

    def spy(update, names, ledger):
        seen.append(update.clone())
        return normalize_rows(update, names, ledger)

    def orthogonalizer(update, names, steps):
        seen.append(update.clone())
        return iterate_newton_schulz(update.bfloat16(), steps, False)

    orthogonalizer.name = "spy"
    gradient = torch.randn(8, 6, generator=torch.Generator().manual_seed(1)) * torch.logspace(-2, 2, 8)[:, None]
    weight = torch.nn.Parameter(torch.zeros(8, 6) if kind == "matrix" else torch.zeros(1, 8, 6))
    weight.grad = gradient.clone().view_as(weight)
    slots = program(update_taps=(spy,), row_blocks=PairedHeads(2, 1), orthogonalizer=orthogonalizer)
    muon = (Muon if kind == "matrix" else ParallelMuon)(1.0, 5)
    with torch.no_grad():
        muon.bind([weight], [("blocks.0.attn.c_q.weight",)], slots, ALONE)
        muon.launch()
        muon.step(scalars(momentum=0.5), Ledger())
    tapped, pairs = seen
    assert tapped.shape == weight.shape and pairs.shape == (2, 4, 6)
    torch.testing.assert_close(tapped.float().view(8, 6), 1.5 * gradient, rtol=2e-2, atol=0)
    torch.testing.assert_close(pairs.float().norm(dim=-1), torch.ones(2, 4), rtol=1e-2, atol=0)
    for start in (0, 4):
        rows = gradient[start : start + 4].double()
        rows = rows / rows.norm(dim=-1, keepdim=True)
        expected = -iterate_newton_schulz(rows, 5, False) * (8 / 6) ** 0.5
        found = weight.detach().view(8, 6)[start : start + 4].double()
        assert relative_error(found, expected) < 0.08
        # With one norm for all rows, the two pairs would share it.
        assert relative_error(found, -iterate_newton_schulz(gradient.double(), 5, False)[start : start + 4]) > 0.2
