"""Matrices start uniform within one over the root of their inputs, each from its own name."""

import torch

from pgolf.testing import Ledger, make_model
from pgolf_plugins.architecture.uniform_init import uniform_fan_in


def test_the_bound_and_the_spread():
    tensor, ledger = torch.empty(300, 25), Ledger()
    uniform_fan_in(tensor, torch.Generator().manual_seed(1), ledger)
    assert 0.199 < tensor.max() <= 0.2 and -0.2 <= tensor.min() < -0.199
    assert abs(tensor.mean()) < 0.005 and abs(tensor.var() - 0.04 / 3) < 0.001
    assert ledger.receipt("uniform_init") == "1 matrices"


def test_it_is_pytorchs_linear_layer():
    """`nn.Linear` draws from U(-1/sqrt(in), 1/sqrt(in)) through another formula."""
    generator = torch.Generator().manual_seed(1)
    mine, theirs = torch.empty(40, 36), torch.empty(40, 36)
    uniform_fan_in(mine, generator, Ledger())
    torch.nn.init.kaiming_uniform_(theirs, a=5**0.5, generator=generator.manual_seed(1))
    torch.testing.assert_close(mine, theirs)


def test_a_matrix_depends_on_its_name_and_the_seed_alone():
    made = [make_model(), make_model(num_layers=5), make_model(seed=2)]
    one, longer, other = [tiny.model.matrices() for tiny in made]
    name = "blocks.2.attn.c_q.weight"
    assert torch.equal(one[name], longer[name]) and not torch.equal(one[name], other[name])
    assert not torch.equal(one[name], one["blocks.1.attn.c_q.weight"])
