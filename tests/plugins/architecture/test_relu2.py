"""The MLP element by element; the whole body against the public script is in test_mlps.py."""

import pytest
import torch

from pgolf.testing import Ledger, make_model, scramble, tiny_context


class Through:
    """A model with matrices that are the identity, and that says which were asked for."""

    def __init__(self):
        self.roles = []

    def project(self, x, role, *place):
        self.roles.append(role)
        return x


def activated(x, **settings):
    return make_model("relu2", **settings).program.mlp(Through(), x, 0, 0, tiny_context())


@pytest.mark.parametrize("p", [-3.0, -0.5, -0.0, 0.0, 0.25, 4.0])
def test_the_activation(p):
    assert activated(torch.tensor([p])).item() == max(p, 0.0) ** 2


def test_one_matrix_up_and_one_down():
    model, through, ledger = make_model("relu2").model, Through(), Ledger()
    model.program.mlp(through, torch.randn(1, 2, 8), 0, 0, tiny_context(ledger=ledger))
    assert through.roles == ["mlp.fc", "mlp.proj"] and ledger.receipt("relu2") == "1 layers"


def test_the_body_is_the_activation_between_two_matrices():
    model = scramble(make_model("relu2").model)
    n, weights = torch.randn(2, 3, 64), model.matrices()
    found = model.program.mlp(model, n, 2, 2, tiny_context(model))
    hidden = activated(n @ weights["blocks.2.mlp.fc.weight"].T)
    torch.testing.assert_close(found, hidden @ weights["blocks.2.mlp.proj.weight"].T)


def test_a_negative_input_has_no_gradient():
    x = torch.tensor([-2.0, 0.0], requires_grad=True)
    activated(x).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0]
