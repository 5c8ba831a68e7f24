import math

import pytest
import torch
from models import built

from pgolf.forecast.weights import (
    ELEMENT_ENERGY,
    ENERGY,
    Kind,
    Walk,
    expected_walks,
    like_inputs,
    orthogonal_energy,
    role_of,
    stand_in,
    unit_walks,
    update_size,
    walks_like,
)
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_tensors
from pgolf.runtime.progress import Scalars
from pgolf_plugins.optimizer.ema import Ema
from pgolf_plugins.optimizer.no_average import NoAverage
from pgolf_plugins.optimizer.stochastic_weight_average import StochasticWeightAverage

STEADY = [Scalars(1.0, 1.0, 0.9)] * 50


def walked(average, kind, scalars):
    (walk,) = unit_walks(average, [kind], scalars)
    return walk


@pytest.mark.parametrize("steps", [1, 7, 400])
def test_updates_remember_each_other_for_as_many_steps_as_there_were(steps):
    """The variance of a sum of autoregressive numbers: sum over pairs of rho^distance."""
    walk = walked(NoAverage(), Kind(0.02, 0.0, None, True), [Scalars(1.0, 1.0, 0.9)] * steps)
    pairs = sum(0.9 ** abs(one - two) for one in range(steps) for two in range(steps))
    assert walk == (1.0, pytest.approx(0.02 * math.sqrt(pairs), rel=1e-4))
    if steps == 400:
        assert walk.noise == pytest.approx(
            0.02 * math.sqrt(400 * 1.9 / 0.1), rel=0.02
        )  # (1 + rho) / (1 - rho) in the long run


def test_decay_forgets_the_start_and_ends_in_balance():
    """Independent updates: each step takes away as much as it adds, s^2 (1 - d^2)."""
    kind = Kind(0.1, 0.5, 0.0, True)
    walk = walked(NoAverage(), kind, [Scalars(1.0, 1.0, 0.9)] * 1000)
    assert walk.kept < 1e-20 and walk.noise == pytest.approx(math.sqrt(0.01 / (1 - 0.95**2)), rel=1e-4)
    assert walked(NoAverage(), kind, []) == Walk(1.0, 0.0)


@pytest.mark.parametrize(
    "average", [NoAverage(), Ema(0.95), StochasticWeightAverage(0.5, 4)], ids=lambda one: type(one).__name__
)
def test_it_is_what_many_random_walks_do(average):
    """By simulation: ten thousand numbers walk with a schedule, a growing momentum, decay, and the same average."""
    scalars = [Scalars(min(1.0, (60 - step) / 30), 1.0, 0.5 + 0.4 * step / 60) for step in range(60)]
    generator = torch.Generator().manual_seed(0)
    weight, update = torch.full((20000,), 2.0), torch.zeros(20000)
    average.start([weight], [("w",)])
    for step, now in enumerate(scalars):
        memory = now.momentum if step else 0.0
        update = memory * update + math.sqrt(1 - memory**2) * torch.randn(20000, generator=generator)
        weight.mul_(1 - 0.1 * now.lr_mul * 0.2).add_(update, alpha=0.1 * now.lr_mul)
        average.update([weight], step + 1, now)
    average.apply([weight], Ledger())
    walk = walked(average, Kind(0.1, 0.2, None, True), scalars)
    assert weight.mean().item() == pytest.approx(2 * walk.kept, abs=5 * walk.noise / 141)
    assert weight.std().item() == pytest.approx(walk.noise, rel=0.03)


def test_what_is_not_averaged_ends_where_it_is():
    kept = walked(Ema(0.99), Kind(0.1, 0.2, None, False), STEADY)
    assert kept == walked(NoAverage(), Kind(0.1, 0.2, None, True), STEADY)
    assert kept.noise > walked(Ema(0.99), Kind(0.1, 0.2, None, True), STEADY).noise


def test_updates_have_the_size_of_orthogonal_ones():
    """A tall matrix: 100 rows, 25 columns; an orthogonal update has 25 singular values of one, and is doubled."""
    made = built("banks", model_dim=64, mlp_mult=4.0)
    for name, _, record in canonical_tensors(made.parameters):
        shape = record.shape[1:] if record.members else record.shape
        role = role_of(name)
        if role in ENERGY:
            orthogonal = torch.linalg.qr(torch.randn(max(shape), min(shape), dtype=torch.float64))[0]
            plain = max(1, shape[0] / shape[1]) ** 0.5 * orthogonal.square().mean().sqrt().item()
            assert update_size(role, record, 0.9) == pytest.approx(plain * (0.9 * ENERGY[role]) ** 0.5)
        else:
            assert update_size(role, record, 0.9) == ELEMENT_ENERGY**0.5


def test_orthogonalizers_differ_in_how_near_to_one_they_come():
    plain, exact = built(), built("polar_express")
    x = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    for made, low, high in ((plain, 0.75, 0.9), (exact, 0.98, 1.05)):
        energy = orthogonal_energy(made.program, {})
        assert low < energy < high
        values = torch.linalg.svdvals(made.program.orthogonalizer(x, ("",), 5).float())
        assert values.square().mean().item() == pytest.approx(energy, rel=0.05)
    walks = [expected_walks(made.program, made.parameters, {"matrix_lr": 0.04}, 9, 0.0) for made in (plain, exact)]
    assert walks[1]["mlp.fc"].noise > 1.08 * walks[0]["mlp.fc"].noise
    assert walks[1]["tok_emb.weight"].noise == walks[0]["tok_emb.weight"].noise


def test_every_tensor_of_a_recipe_has_a_walk():
    made = built("muon_weight_decay", "smear_gate", "warmdown_iters", warmdown_iters=10, muon_wd=0.1)
    values = {"matrix_lr": 0.04, "muon_wd": 0.1}
    walks = expected_walks(made.program, made.parameters, values, 20, 0.0)
    assert {role_of(name) for name, _, _ in canonical_tensors(made.parameters)} == set(walks)
    assert walks["attn.c_q"].kept < 1 and walks["smear.gate"].kept == 1
    longer = expected_walks(made.program, made.parameters, values, 200, 0.0)
    assert longer["mlp.fc"].noise > walks["mlp.fc"].noise > 0
    averaged = built("muon_weight_decay", "ema", ema_decay=0.99)
    shorter = expected_walks(averaged.program, averaged.parameters, values, 20, 0.0)
    assert shorter["mlp.fc"].noise < 0.5 * walks["mlp.fc"].noise and shorter["attn.c_q"].kept > walks["attn.c_q"].kept


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
