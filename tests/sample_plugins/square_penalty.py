"""Sample plugin for tests: an auxiliary loss.

    loss <- loss + 1e-4 mean(h^2)

Source: pgolf's tests.
"""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="square_penalty",
    summary="Keeps the final hidden state small.",
    source="pgolf tests",
    family="architecture",
)


def penalize_squares(model, x, logits, targets, ctx):
    """A scalar."""
    ctx.fired("square_penalty", "penalties")
    return 1e-4 * x.square().mean()


@hookimpl
def auxiliary_losses(settings):
    return Component(penalize_squares)
