from functools import partial

import pytest
import torch
from models import resolved
from pipeline_vectors import load_case
from trajectories import relative_error

from pgolf.runtime.optimize import CompiledOrthogonalizer
from pgolf_plugins.optimizer import gram_newton_schulz as plugin
from pgolf_plugins.optimizer.gram_newton_schulz import iterate_gram, plain_product, symmetric_product
from pgolf_plugins.optimizer.newton_schulz import iterate_newton_schulz

FORMS = pytest.mark.parametrize("symmetric", [False, True])


def orthogonalizer(symmetric):
    return CompiledOrthogonalizer("gram_newton_schulz", partial(iterate_gram, symmetric=symmetric))


@FORMS
def test_the_algebra_is_that_of_the_fork(symmetric):
    case = load_case("O10_gram_float64_s5")
    for key, x in case.inputs.items():
        found = iterate_gram(x.double(), case.params["steps"], symmetric)
        torch.testing.assert_close(found, case.outputs[key], rtol=1e-8, atol=1e-10)


@FORMS
def test_bfloat16_stays_within_its_rounding(symmetric):
    case = load_case("O10_gram_bfloat16_s5")
    for key, x in case.inputs.items():
        found = orthogonalizer(symmetric)(x, ("w",), case.params["steps"])
        assert found.dtype == torch.bfloat16
        assert relative_error(found, case.outputs[key]) <= 0.10


@FORMS
@pytest.mark.parametrize("steps", range(1, 8))
@pytest.mark.parametrize("shape", [(12, 40), (40, 12), (3, 12, 40), (3, 12, 12)])
def test_it_is_the_plain_iteration_in_exact_arithmetic(shape, steps, symmetric):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    found = iterate_gram(x, steps, symmetric)
    torch.testing.assert_close(found, iterate_newton_schulz(x, steps, False), rtol=1e-8, atol=1e-10)


@FORMS
def test_a_zero_matrix_stays_zero(symmetric):
    assert not orthogonalizer(symmetric)(torch.zeros(2, 6, 4), ("v", "w"), 5).any()


def test_only_symmetric_products_go_to_the_kernel(monkeypatch):
    """Half of a product may be left out only where the other half is its mirror image."""
    seen = []

    def watched(*given):
        product = plain_product(*given)
        seen.append((product - product.mT).abs().max() / product.abs().max())
        return symmetric_product(*given)

    monkeypatch.setattr(plugin, "symmetric_product", watched)
    for shape in ((3, 12, 40), (12, 12)):
        x = torch.randn(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
        torch.testing.assert_close(iterate_gram(x, 5, True), iterate_gram(x, 5, False), rtol=1e-8, atol=1e-10)
    assert len(seen) == 16 + 10 and max(seen) < 1e-12


def test_the_operator_is_what_torch_expects():
    left, added = torch.randn(2, 6, 9), torch.randn(2, 6, 6)
    torch.library.opcheck(symmetric_product, (left, left.mT, added, 2.0, 0.5))
    torch.library.opcheck(symmetric_product, (left, left.mT, None, 1.0, 0.0))


@pytest.mark.skipif(plugin.triton is None or not torch.cuda.is_available(), reason="the kernel needs Triton and a GPU")
@pytest.mark.parametrize("shape", [(22, 512, 512), (2, 512, 2048), (3, 200, 72)])
def test_the_kernel_is_its_twin(shape):
    x = torch.randn(shape, device="cuda", dtype=torch.bfloat16) / shape[2] ** 0.5
    gram = symmetric_product(x, x.mT, None, 1.0, 0.0)
    for found, wanted in (
        (gram, plain_product(x.double(), x.double().mT, None, 1.0, 0.0)),
        (symmetric_product(gram, gram, gram, 2.0, -4.0), plain_product(*[gram.double()] * 3, 2.0, -4.0)),
    ):
        assert torch.equal(found, found.mT) and relative_error(found.double(), wanted) < 2.0**-8


def test_the_setting_chooses():
    assert "symmetric=False" in resolved("gram_newton_schulz").entry
    assert "symmetric=True" in resolved("gram_newton_schulz", gram_symmetric=True).entry
