"""q <- q, k <- k: no positions at all."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_nope",
    summary="No position encoding.",
    source="pgolf's documentation",
    family="architecture",
)


def leave(model, x_BTHC, layer, position, ctx):
    """Called for queries, then for keys."""
    ctx.fired("example_nope", "calls")
    return x_BTHC


@hookimpl
def rotary(settings) -> Component:
    """Takes the place of the baseline's rotation."""
    return Component(leave)
