"""LQER: golden factors, the best low-rank approximation, signs, and what the artifact stands for."""

import pytest
import torch
from pipeline_vectors import load_case

from pgolf.errors import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import dequantize
from pgolf.settings import SettingsView
from pgolf_plugins.quantizer.lqer import Lqer, asymmetric, corrections, low_rank, symmetric


def product(parts):
    return Lqer(4, 1, 4, 64).decode("w", parts, torch.zeros(parts["a"].shape[0], parts["b"].shape[1]))


def check(parts, case):
    for key, name in (("a", "qA"), ("a_step", "sA"), ("b", "qB"), ("b_step", "sB")):
        assert torch.equal(parts[key], case.outputs[name]), name
    torch.testing.assert_close(product(parts), case.outputs["corr"], rtol=1e-6, atol=1e-6)


def test_golden_asymmetric_factors():
    case = load_case("Q21_lqer_asym_a")
    check(asymmetric(case.inputs["A"], case.inputs["B"], case.params["group"]), case)


@pytest.mark.parametrize("name", ["Q21_lqer_sym4_a", "Q21_lqer_sym3_a"])
def test_golden_symmetric_factors(name):
    case = load_case(name)
    check(symmetric(case.inputs["A"], case.inputs["B"], case.params["bits"]), case)


def golden_codes(key, parts, right, case):
    """Symmetric codes are the golden ones up to the sign of each pair, but for values on a tie of the rounding."""
    left_codes, right_codes = case.outputs[f"r:{key}.lqA"].float(), case.outputs[f"r:{key}.lqB"].float()
    sign = (parts["b"] * right_codes).sum(1).sign()
    assert torch.equal(parts["a"] * sign, left_codes)
    tie = ((right / parts["b_step"].float()[:, None]).frac().abs() - 0.5).abs() < 1e-4
    assert torch.equal((parts["b"] * sign[:, None])[~tie], right_codes[~tie]) and tie.float().mean() < 0.01


@pytest.mark.parametrize("name", ["Q17_Q20_Q21_mixed_asym", "Q17_Q20_Q21_mixed_sym"])
def test_a_whole_state(name):
    """The golden codes of four matrices: the same ones are corrected, and what is left is no larger."""
    case = load_case(name)
    h = case.params["h"]
    names = [key[2:-2] for key in case.outputs if key.startswith("r:") and key.endswith(".q")]
    state = {key: case.inputs[f"w:{key}"] for key in names}
    decoded = {
        key: dequantize(case.outputs[f"r:{key}.q"], case.outputs[f"r:{key}.scale"], torch.float32) for key in names
    }
    group = h["lqer_asym_group"] if h["lqer_asym_enabled"] else 0
    lqer, ledger = Lqer(h["lqer_rank"], h["lqer_top_k"], h["lqer_factor_bits"], group), Ledger()
    found = lqer.encode(state, decoded, {}, ledger)
    suffix = "lqA_a" if group else "lqA"
    assert sorted(found) == sorted(key for key in names if f"r:{key}.{suffix}" in case.outputs)
    assert ledger.receipt("lqer") == f"{h['lqer_top_k']} matrices"
    for key, parts in found.items():
        mended, wanted = lqer.decode(key, parts, decoded[key]), case.outputs[f"deq:{key}"]
        golden = (wanted - state[key][: len(wanted)]).norm().item()
        assert (mended[: len(wanted)] - state[key][: len(wanted)]).norm().item() <= 1.02 * golden
        assert (mended - state[key]).norm() < 0.9 * (decoded[key] - state[key]).norm()
        if not group:
            golden_codes(key, parts, low_rank(state[key] - decoded[key], 4)[1], case)


def test_the_factors_are_the_best_of_their_rank():
    """By the eigenvectors of E^T E, and by the theorem of Eckart and Young."""
    error = torch.randn(40, 30, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    left, right = low_rank(error, 4)
    values, vectors = torch.linalg.eigh(error.T @ error)
    top = vectors[:, -4:]
    torch.testing.assert_close(left @ right, error @ top @ top.T)
    torch.testing.assert_close((error - left @ right).square().sum(), values[:-4].sum())


def test_the_largest_entry_of_each_column_is_negative():
    error = torch.randn(40, 30, generator=torch.Generator().manual_seed(3))
    for sign in (1, -1):
        left, _ = low_rank(sign * error, 4)
        assert (left.gather(0, left.abs().argmax(0, keepdim=True)) < 0).all()


def test_groups_that_do_not_come_out_even_are_symmetric():
    left, right = torch.randn(10, 4), torch.randn(4, 30)
    assert Lqer(4, 1, 4, 64).factors(left, right)["a_step"].shape == (10,)
    assert Lqer(4, 1, 4, 40).factors(left, right)["a_step"].shape == ()


def test_nothing_to_correct_is_zero():
    for parts in (
        asymmetric(torch.zeros(5, 2), torch.zeros(2, 64), 64),
        symmetric(torch.zeros(5, 2), torch.zeros(2, 8), 4),
    ):
        assert not product(parts).any()


def test_small_tensors_and_vectors_are_left_alone():
    state = {"small": torch.randn(20, 20), "vector": torch.randn(70000)}
    assert (
        Lqer(4, 3, 4, 64).encode(state, {key: torch.zeros_like(value) for key, value in state.items()}, {}, Ledger())
        == {}
    )


def test_settings():
    values = {"lqer_rank": 4, "lqer_top_k": 3, "lqer_factor_bits": 4, "lqer_asym_enabled": False, "lqer_asym_group": 64}
    assert corrections(SettingsView(values, ())).arguments == {"rank": 4, "count": 3, "bits": 4, "group": 0}
    with pytest.raises(PgolfError, match="wanted 2 to 8"):
        corrections(SettingsView({**values, "lqer_factor_bits": 9}, ()))
