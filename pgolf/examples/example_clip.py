"""clip <- min(clip, 4 times the row's standard deviation)."""

import torch

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_clip",
    summary="Clips rows at four standard deviations.",
    source="pgolf's documentation",
    family="quantizer",
)


def clip_deviations(weight, clip, top, statistics, ledger):
    """(rows,)."""
    ledger.count("example_clip", "matrices")
    return torch.minimum(clip, 4 * weight.std(1))


@hookimpl
def clip_taps(settings) -> Component:
    """For recipes that take them as an argument."""
    return Component(clip_deviations)
