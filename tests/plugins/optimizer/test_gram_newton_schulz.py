import pytest
import torch
from pipeline_vectors import load_case
from trajectories import relative_error

from pgolf.runtime.optimize import CompiledOrthogonalizer
from pgolf_plugins.optimizer.gram_newton_schulz import iterate_gram
from pgolf_plugins.optimizer.newton_schulz import iterate_newton_schulz

ORTHOGONALIZE = CompiledOrthogonalizer("gram_newton_schulz", iterate_gram)


def test_the_algebra_is_that_of_the_fork():
    case = load_case("O10_gram_float64_s5")
    for key, x in case.inputs.items():
        torch.testing.assert_close(
            iterate_gram(x.double(), case.params["steps"]), case.outputs[key], rtol=1e-8, atol=1e-10
        )


def test_bfloat16_stays_within_its_rounding():
    case = load_case("O10_gram_bfloat16_s5")
    for key, x in case.inputs.items():
        found = ORTHOGONALIZE(x, ("w",), case.params["steps"])
        assert found.dtype == torch.bfloat16
        assert relative_error(found, case.outputs[key]) <= 0.10


@pytest.mark.parametrize("steps", range(1, 8))
@pytest.mark.parametrize("shape", [(12, 40), (40, 12), (3, 12, 40), (3, 12, 12)])
def test_it_is_the_plain_iteration_in_exact_arithmetic(shape, steps):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    torch.testing.assert_close(iterate_gram(x, steps), iterate_newton_schulz(x, steps, False), rtol=1e-8, atol=1e-10)


def test_a_zero_matrix_stays_zero():
    assert not ORTHOGONALIZE(torch.zeros(2, 6, 4), ("v", "w"), 5).any()
