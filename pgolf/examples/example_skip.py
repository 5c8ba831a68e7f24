"""x <- (x + skip) / sqrt(2)."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_skip",
    summary="Skips without parameters.",
    source="pgolf's documentation",
    family="architecture",
)


def add_skip(model, x_BTD, skip_BTD, index, ctx):
    """`index` counts decoder steps."""
    ctx.fired("example_skip", "skips")
    return (x_BTD + skip_BTD) * 0.5**0.5


@hookimpl
def skip(settings) -> Component:
    """Takes the place of the baseline's."""
    return Component(add_skip)
