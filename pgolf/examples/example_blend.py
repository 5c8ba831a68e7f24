"""x_t <- x_t + 0.1 x_{t-1}, of the raw and of the normed embedding."""

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.layers import shift_right

PLUGIN = Plugin(
    name="example_blend",
    summary="Blends each position with the one before.",
    source="pgolf's documentation",
    family="architecture",
)


def blend(model, x_BTD, ids_BT, ctx, share):
    """Position t reads t and t - 1, never what comes later."""
    ctx.fired("example_blend", "blends")
    return x_BTD + share * shift_right(x_BTD)


@hookimpl
def stem_raw(settings) -> Component:
    """Literals become the function's last parameters."""
    return Component(blend, share=0.1)


@hookimpl
def stem_normed(settings) -> Component:
    """The same function with another literal."""
    return Component(blend, share=0.05)
