import torch
from pipeline_vectors import load_case
from simulated import ALONE
from trajectories import check_banks, check_matrices, run_banks, run_matrices

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.optimizer.polar_express import PolarExpress
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
    history, _, ledger = run_banks(case, ALONE, update_taps=(normalize_rows,), orthogonalizer=PolarExpress())
    check_banks(case, history)
    assert ledger.receipt("row_normalize") == "8 updates"
