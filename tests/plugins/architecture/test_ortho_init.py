"""Matrices whose rows, or columns, are orthonormal."""

import pytest
import torch

from pgolf.errors import PgolfError
from pgolf.testing import Ledger, make_model, resolve_tiny
from pgolf_plugins.architecture.ortho_init import orthogonal_or_uniform


@pytest.mark.parametrize("shape", [(64, 64), (64, 160), (200, 64)])
def test_the_smaller_side_is_orthonormal(shape):
    tensor, ledger = torch.empty(shape), Ledger()
    orthogonal_or_uniform(tensor, torch.Generator().manual_seed(3), ledger)
    gram = tensor @ tensor.T if shape[0] <= shape[1] else tensor.T @ tensor
    torch.testing.assert_close(gram, torch.eye(64), rtol=0, atol=1e-5)
    assert ledger.receipt("ortho_init") == "1 orthogonal matrices"


def test_smaller_matrices_are_uniform():
    tensor, ledger = torch.empty(63, 400), Ledger()
    orthogonal_or_uniform(tensor, torch.Generator().manual_seed(3), ledger)
    assert 0.049 < tensor.abs().max() <= 0.05 and abs(tensor.std() - 0.05 / 3**0.5) < 0.001
    assert ledger.receipt("ortho_init") == ""


def test_the_same_generator_gives_the_same_matrix():
    one, two = torch.empty(64, 64), torch.empty(64, 64)
    for tensor in (one, two):
        orthogonal_or_uniform(tensor, torch.Generator().manual_seed(7), Ledger())
    assert torch.equal(one, two)


def test_what_declares_a_start_keeps_it():
    model = make_model("ortho_init").model.matrices()
    assert not model["blocks.0.mlp.proj.weight"].any()
    up = model["blocks.0.mlp.fc.weight"]
    torch.testing.assert_close(up.T @ up, torch.eye(64), rtol=0, atol=1e-5)


def test_a_model_without_such_a_matrix_is_refused():
    with pytest.raises(PgolfError, match="at least 64"):
        resolve_tiny("ortho_init", model_dim=32)
