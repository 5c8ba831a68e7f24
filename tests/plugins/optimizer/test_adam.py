from types import SimpleNamespace

import pytest
import torch
from pipeline_vectors import load_case
from simulated import ALONE, scalars

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.records import Group
from pgolf_plugins.optimizer.adam import ElementAdam, groups

SETTINGS = {
    "tied_embed_lr": 0.05,
    "embed_lr": 0.6,
    "scalar_lr": 0.04,
    "head_lr": 0.008,
    "adam_wd": 0.02,
    "embed_wd": 0.085,
}


@pytest.mark.parametrize("name", ["O2_adam", "O2_adamw"])
def test_trajectories(name):
    case = load_case(name)
    params, ledger = case.params, Ledger()
    weight = torch.nn.Parameter(case.inputs["W"].clone())
    adam = ElementAdam(*params["betas"], params["eps"])
    adam.bind([(Group("scalar", params["lr"], params.get("wd", 0.0)), [weight], [("w",)])], ALONE)
    for step, multiplier in enumerate(params["mul"]):
        weight.grad = case.inputs["G"][step].clone()
        adam.step(scalars(lr_mul=multiplier), ledger)
        wanted = case.outputs[f"W{step + 1}"]
        assert (weight - wanted).abs().max() <= 1e-5 * wanted.abs().max()
    assert ledger.receipt("adam") == "5 steps"


def test_first_step_by_hand():
    """With zero moments the first update is lr * sign(g), after a decay of 1 - lr * wd."""
    first, second = torch.nn.Parameter(torch.tensor([2.0])), torch.nn.Parameter(torch.tensor([[2.0, 4.0]]))
    first.grad, second.grad = torch.tensor([3.0]), torch.tensor([[-1.0, 1.0]])
    adam = ElementAdam(0.9, 0.95, 1e-12)
    adam.bind(
        [(Group("embed", 0.1), [first], [("first",)]), (Group("scalar", 0.2, 0.5), [second], [("second",)])],
        ALONE,
    )
    adam.step(scalars(lr_mul=0.5, weight_decay_mul=2.0), Ledger())
    torch.testing.assert_close(first.detach(), torch.tensor([2.0 - 0.05]))
    torch.testing.assert_close(second.detach(), torch.tensor([[2.0 * 0.9 + 0.1, 4.0 * 0.9 - 0.1]]))


def test_binding_again_forgets_the_moments():
    adam, seen = ElementAdam(0.9, 0.95, 1e-8), []
    for _ in range(2):
        weight = torch.nn.Parameter(torch.ones(3))
        adam.bind([(Group("scalar", 0.1), [weight], [("w",)])], ALONE)
        for value in (1.0, -3.0):
            weight.grad = torch.full((3,), value)
            adam.step(scalars(), Ledger())
        seen.append(weight.detach().clone())
    assert torch.equal(seen[0], seen[1])


def test_the_embedding_is_slower_when_it_is_tied():
    tied = groups(SimpleNamespace(**SETTINGS, plugins=frozenset({"adam"})))
    untied = groups(SimpleNamespace(**SETTINGS, plugins=frozenset({"adam", "untied_head"})))
    assert [(group.name, group.lr, group.weight_decay) for group in tied] == [
        ("embed", 0.05, 0.085),
        ("scalar", 0.04, 0.02),
        ("head", 0.008, 0.02),
    ]
    assert untied[0].lr == 0.6
