from functools import partial

import pytest
import torch
from simulated import ALONE, ThreadGroup, newton_schulz, program, scalars

from pgolf import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.settings import SettingsView
from pgolf_plugins.optimizer.muon import Muon
from pgolf_plugins.optimizer.muon_weight_decay import decay_matrix
from pgolf_plugins.optimizer.parallel_muon import ParallelMuon
from pgolf_plugins.optimizer.split_matrix_lr import matrix_rate, rate_by_depth

RATE = partial(rate_by_depth, early=0.025, late=0.03, split=2)
MEMBERS = tuple(f"blocks.{layer}.attn.{role}.weight" for role in ("c_q", "proj") for layer in range(4))


def random(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_the_rate_goes_by_the_layer_in_the_name():
    ledger = Ledger()
    assert [RATE(name, 0.04, ledger) for name in MEMBERS] == 2 * [0.025, 0.025, 0.03, 0.03]
    assert RATE("blocks.10.mlp.fc.weight", 0.04, ledger) == 0.03, "ten is not one"
    assert RATE("lm_head.weight", 0.04, ledger) == 0.04
    assert ledger.receipt("split_matrix_lr") == "9 matrix updates"


def train(optimizer, tensors, names, world, gradients, **slots):
    """Weights after two steps with weight decay."""
    taps = (partial(decay_matrix, weight_decay=2.0),)
    optimizer.bind(tensors, names, program(apply_taps=taps, orthogonalizer=newton_schulz(False), **slots), world)
    for step in range(2):
        for tensor, gradient in zip(tensors, gradients, strict=True):
            tensor.grad = gradient[step].clone()
        optimizer.launch()
        optimizer.step(scalars(lr_mul=0.5), Ledger())
    return tensors


def bank_of(lr, world=ALONE, **slots):
    """A bank of eight matrices, alone or on one of several ranks that have the same gradients."""
    return train(
        ParallelMuon(lr, 5),
        [random(8, 6, 4)],
        [MEMBERS],
        world,
        [random(2, 8, 6, 4, seed=2).bfloat16().float()],
        **slots,
    )[0]


def test_every_member_of_a_bank_is_as_in_a_bank_with_its_rate():
    """Two banks with one rate each, as in the public script, put together: decay goes by the rate too."""
    with torch.no_grad():
        found, early, late = bank_of(0.04, matrix_rate=RATE), bank_of(0.025), bank_of(0.03)
    for index, name in enumerate(MEMBERS):
        assert torch.equal(found[index], (early if int(name.split(".")[1]) < 2 else late)[index]), name
    assert not torch.equal(early, late)


def test_matrices_of_their_own():
    names, gradients = [(name,) for name in MEMBERS], random(2, 8, 6, 4, seed=2).unbind(1)
    results = []
    with torch.no_grad():
        for lr, slots in ((0.04, {"matrix_rate": RATE}), (0.025, {}), (0.03, {})):
            results.append(train(Muon(lr, 5), [*random(8, 6, 4).unbind()], names, ALONE, gradients, **slots))
    found, early, late = results
    for index, name in enumerate(MEMBERS):
        assert torch.equal(found[index], (early if int(name.split(".")[1]) < 2 else late)[index]), name


def test_ranks_agree(monkeypatch):
    with torch.no_grad():
        alone = bank_of(0.04, matrix_rate=RATE)
    for bank in ThreadGroup(4).run(monkeypatch, lambda world: bank_of(0.04, world, matrix_rate=RATE)):
        # Batches of another size may round otherwise.
        assert (bank - alone).abs().max() <= 2 * 0.12 * 0.03


def test_a_split_above_the_last_layer_is_refused():
    values = {"matrix_lr_early": 0.025, "matrix_lr_late": 0.03, "bank_split": 5, "num_layers": 5}
    with pytest.raises(PgolfError, match="less than the 5 layers"):
        matrix_rate(SettingsView(values, {"split_matrix_lr"}))
    assert matrix_rate(SettingsView(values | {"num_layers": 6}, {"split_matrix_lr"})).arguments["split"] == 5
