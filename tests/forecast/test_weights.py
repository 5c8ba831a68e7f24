import math

import pytest
import torch
from models import built

from pgolf.forecast.weights import (
    ELEMENT_MEMORY,
    MEMORY,
    Walk,
    expected_walks,
    like_inputs,
    role_of,
    stand_in,
    trained_walk,
    walks_like,
)
from pgolf.runtime.parameters import canonical_tensors
from pgolf.runtime.progress import Scalars

STEADY = [Scalars(1.0, 1.0, 0.9)] * 50


def test_without_decay_squares_add_up():
    """A tall matrix: 100 rows, 25 columns; an orthogonal update has 25 singular values of one, and is doubled."""
    orthogonal = torch.linalg.qr(torch.randn(100, 25, dtype=torch.float64))[0]
    update = 2 * orthogonal.square().mean().sqrt().item()
    walk = trained_walk((100, 25), 0.02, 0.0, 0.5, STEADY)
    assert walk.kept == 1.0
    assert walk.noise == pytest.approx(math.sqrt(50 * 0.5 * 19) * 0.02 * update)


def test_element_wise_updates_have_size_one_and_no_memory():
    assert trained_walk((7,), 0.02, 0.0, 0.0, STEADY).noise == pytest.approx(0.02 * math.sqrt(50 * ELEMENT_MEMORY))


def test_decay_forgets_the_start_and_ends_in_balance():
    """Where each step takes away as much as it adds: s^2 (1 - d^2) = what a step adds."""
    walk = trained_walk((64, 64), 0.1, 0.5, 0.5, [Scalars(1.0, 1.0, 0.9)] * 2000)
    added = 0.5 * 19 * 0.01 / 64
    assert walk.kept < 1e-20 and walk.noise == pytest.approx(math.sqrt(added / (1 - 0.95**2)))
    assert trained_walk((64, 64), 0.1, 0.5, 0.5, []) == Walk(1.0, 0.0)


def test_every_tensor_of_a_recipe_has_a_walk():
    made = built("muon_weight_decay", "smear_gate", "warmdown_iters", warmdown_iters=10, muon_wd=0.1)
    values = {"matrix_lr": 0.04, "muon_wd": 0.1}
    walks = expected_walks(made.program, made.parameters, values, 20, 0.0)
    assert {role_of(name) for name, _, _ in canonical_tensors(made.parameters)} == set(walks)
    assert walks["attn.c_q"].kept < 1 and walks["smear.gate"].kept == 1
    longer = expected_walks(made.program, made.parameters, values, 200, 0.0)
    assert longer["mlp.fc"].noise > walks["mlp.fc"].noise > 0
    assert walks["mlp.fc"].noise ** 2 * MEMORY["attn"] > 0


def test_a_clock_does_not_change_what_steps_do():
    made = built("warmdown_iters", warmdown_iters=10)
    by_steps = expected_walks(made.program, made.parameters, {"matrix_lr": 0.04}, 40, 0.0)
    by_time = expected_walks(made.program, made.parameters, {"matrix_lr": 0.04}, 40, 6e5)
    assert by_time["mlp.fc"].noise == pytest.approx(by_steps["mlp.fc"].noise, rel=0.02)


def test_weights_that_there_are_give_their_spread():
    generator = torch.Generator().manual_seed(0)
    state = {
        f"blocks.{layer}.mlp.fc.weight": torch.randn(64, 200, generator=generator) * (layer + 1) for layer in (0, 1)
    }
    found = walks_like({**state, "blocks.0.attn_scale": torch.ones(9)})
    assert found.keys() == {"mlp.fc"} and found["mlp.fc"].kept == 0
    assert found["mlp.fc"].noise == pytest.approx(math.sqrt(2.5), rel=0.02)


def test_a_stand_in_is_its_start_and_noise():
    def ones(tensor, generator, ledger):
        tensor.fill_(1.0)

    found = stand_in("x", ones, (300, 300), Walk(0.5, 0.2))
    assert found.mean().item() == pytest.approx(0.5, abs=0.01) and found.std().item() == pytest.approx(0.2, rel=0.02)
    assert torch.equal(found, stand_in("x", ones, (300, 300), Walk(0.5, 0.2)))
    assert not torch.equal(found, stand_in("y", ones, (300, 300), Walk(0.5, 0.2)))


def test_inputs_like_real_ones_have_a_cholesky_factor():
    torch.linalg.cholesky(like_inputs(512))
    assert like_inputs(3)[0].tolist() == pytest.approx([1, 0.9, 0.81])


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("blocks.10.attn.c_q.weight", "attn.c_q"),
        ("blocks.2.attn_scale", "attn_scale"),
        ("tok_emb.weight", "tok_emb.weight"),
        ("skip_weights", "skip_weights"),
    ],
)
def test_layers_share_a_role(name, role):
    assert role_of(name) == role
