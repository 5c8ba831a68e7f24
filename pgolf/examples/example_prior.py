"""How common each token is in training text is counted after training and adds a little to its logit in scores."""

import torch

from pgolf import Component, Group, Param, Plugin, Setting, hookimpl
from pgolf.runtime.distributed import sum_over_ranks
from pgolf.runtime.parameters import zeros

PLUGIN = Plugin(
    name="example_prior",
    summary="Counts of training tokens as a bias of the logits.",
    source="pgolf's documentation",
    family="eval",
    settings=(Setting("example_prior_weight", 0.01, "factor of the logarithms", minimum=0.0),),
)


def count_tokens(session):
    """One batch of every rank; the sum over ranks makes the tensor equal on all of them."""
    ids_BT, _, _ = session.next_batch()
    tensor = session.model.get_parameter("example_prior")
    counts = sum_over_ranks(torch.bincount(ids_BT.flatten(), minlength=tensor.numel()).double(), session.world)
    with torch.no_grad():
        tensor.copy_(((counts + 1) / (counts + 1).sum()).log())
    session.ledger.count("example_prior", "tokens", int(counts.sum()))


def add_prior(model, logits_BTV, ids_BT, ctx, weight):
    """logits_BTV -> logits_BTV."""
    return logits_BTV + weight * ctx.weights["example_prior"]


@hookimpl
def parameters(settings, plan) -> list[Param]:
    """In a group that training leaves alone; neither averages nor test-time training touch it."""
    shape = (settings.vocab_size,)
    return [
        Param("example_prior", shape, "example_prior", "control", init=Component(zeros), average=False, adapt=False)
    ]


@hookimpl
def groups(settings) -> list[Group]:
    """A rate of zero."""
    return [Group("example_prior", 0.0)]


@hookimpl
def train_fits(settings) -> Component:
    """Called once, when training is over and the clock still runs."""
    return Component(count_tokens)


@hookimpl
def reserve(settings) -> float:
    """Seconds of the budget that are kept for it."""
    return 1.0


@hookimpl
def distribution_transforms(settings) -> Component:
    """In scores alone."""
    return Component(add_prior, weight=settings.example_prior_weight)
