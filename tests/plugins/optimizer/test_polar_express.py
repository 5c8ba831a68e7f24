import pytest
import torch
from pipeline_vectors import load_case
from trajectories import relative_error

from pgolf import PgolfError
from pgolf.runtime.optimize import CompiledOrthogonalizer
from pgolf.settings import SettingsView
from pgolf_plugins.optimizer.polar_express import COEFFICIENTS, iterate_polar_express, orthogonalizer

ORTHOGONALIZE = CompiledOrthogonalizer("polar_express", iterate_polar_express)


@pytest.mark.parametrize("name", ["O9_polar_3_float64_s5", "O9_polar_5_float64_s5", "O9_polar_7_float64_s5"])
def test_the_algebra_is_that_of_the_public_scripts(name):
    """Their seven steps are five."""
    case = load_case(name)
    for key, x in case.inputs.items():
        found = iterate_polar_express(x.double(), case.params["steps"])
        torch.testing.assert_close(found, case.outputs[key], rtol=1e-8, atol=1e-10)


def test_bfloat16_stays_within_its_rounding():
    case = load_case("O9_polar_5_bfloat16_s5")
    for key, x in case.inputs.items():
        found = ORTHOGONALIZE(x, ("w",), case.params["steps"])
        assert found.dtype == torch.bfloat16
        assert relative_error(found, case.outputs[key]) <= 0.10


@pytest.mark.parametrize("shape", [(24, 40), (3, 40, 24)])
def test_singular_vectors_stay_and_singular_values_come_closer_to_one_than_with_fixed_coefficients(shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    left, values, right = torch.linalg.svd(x, full_matrices=False)
    values = fixed = values / values.norm(dim=-1, keepdim=True)
    for a, b, c in COEFFICIENTS:
        values = a * values + b * values**3 + c * values**5
        fixed = 3.4445 * fixed - 4.7750 * fixed**3 + 2.0315 * fixed**5
    found = iterate_polar_express(x, 5)
    torch.testing.assert_close(found, left @ torch.diag_embed(values) @ right, rtol=1e-5, atol=1e-6)
    assert (values - 1).abs().max() < (fixed - 1).abs().max() < 0.4


def test_a_zero_matrix_stays_zero():
    assert not ORTHOGONALIZE(torch.zeros(2, 6, 4), ("v", "w"), 5).any()


def test_more_steps_than_coefficients_are_refused():
    with pytest.raises(PgolfError, match="at most 5"):
        orthogonalizer(SettingsView({"muon_backend_steps": 6}, {"polar_express"}))
