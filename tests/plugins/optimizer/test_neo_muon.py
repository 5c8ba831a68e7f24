import torch
from pipeline_vectors import load_case
from simulated import ALONE, newton_schulz
from trajectories import check_matrices, relative_error, run_matrices

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.optimizer.neo_muon import normalize_rows
from pgolf_plugins.optimizer.row_normalize import normalize_rows as unit_rows


def test_trajectory():
    case = load_case("O8_neomuon_a")
    history, muon, ledger = run_matrices(case, ALONE, update_taps=(normalize_rows,))
    check_matrices(case, history, dict(enumerate(muon.buffers)))
    assert ledger.receipt("neo_muon") == "9 updates"


def test_three_iterations_follow_the_vectors():
    case = load_case("O8_neomuon_ns_s5")
    for key in ("sq", "tall", "wide"):
        found = newton_schulz(True)(case.inputs[key], ("w",), case.params["steps"])
        assert relative_error(found, case.outputs[key]) <= 0.10


def test_rows_have_a_mean_square_of_one_which_is_their_length_up_to_a_constant():
    update = torch.randn(3, 16, generator=torch.Generator().manual_seed(1))
    found = normalize_rows(update, ("w",), Ledger())
    torch.testing.assert_close(found.square().mean(-1), torch.ones(3), rtol=1e-5, atol=0)
    torch.testing.assert_close(found, 4 * unit_rows(update, ("w",), Ledger()), rtol=1e-5, atol=1e-6)
    assert normalize_rows(update.bfloat16(), ("w",), Ledger()).dtype == torch.float32
    assert not normalize_rows(torch.zeros(2, 4), ("w",), Ledger()).any()
