"""Sample plugin for tests: activations on a grid before every matrix of a layer, gradient straight through.

    x <- x + stopgrad(round(16 x) / 16 - x)        not before the head

Source: pgolf's tests.
"""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="coarse_inputs",
    summary="Rounds what the matrices multiply.",
    source="pgolf tests",
    family="architecture",
)


def round_input(model, x, role, layer, position, ctx, steps):
    """x on a grid of 1/steps."""
    if role == "head":
        return x
    ctx.fired("coarse_inputs", "inputs")
    return x + ((x * steps).round() / steps - x).detach()


@hookimpl
def matrix_inputs(settings):
    return Component(round_input, steps=16)
