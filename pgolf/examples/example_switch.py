"""Every third step of the plan is an MLP alone."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_switch",
    summary="No attention in every third step.",
    source="pgolf's documentation",
    family="architecture",
)


def two_of_three(layer, position, ctx):
    """`layer` is the physical one, `position` counts the steps."""
    ctx.fired("example_switch", "steps")
    return position % 3 != 2


@hookimpl
def attention_switch(settings) -> Component:
    """The matrices of a layer that some steps leave out are still stored."""
    return Component(two_of_three)
