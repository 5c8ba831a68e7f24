"""G <- G / |G|, the norm over all parameters and over the batches of all ranks."""

import torch

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.distributed import sum_over_ranks

PLUGIN = Plugin(
    name="example_unit",
    summary="Mean gradient of norm one.",
    source="pgolf's documentation",
    family="optimizer",
)


def square_sum(gradients, world):
    """Sum of squares of what this rank holds."""
    return sum((gradient.float().square().sum() for gradient in gradients), torch.zeros((), device=world.device))


def scale_to_one(gradients, names, replicated, world, ledger):
    """What is replicated counts once; the rest is in shares, and a sum over it is a sum over ranks."""
    whole = [gradient for gradient, every in zip(gradients, replicated, strict=True) if every]
    shares = [gradient for gradient, every in zip(gradients, replicated, strict=True) if not every]
    norm = (square_sum(whole, world) + sum_over_ranks(square_sum(shares, world), world)).sqrt()
    for gradient in gradients:
        gradient.div_(norm + 1e-8)
    ledger.count("example_unit", "steps")


@hookimpl
def mean_gradient_taps(settings) -> Component:
    """After gradients are averaged over ranks."""
    return Component(scale_to_one)
