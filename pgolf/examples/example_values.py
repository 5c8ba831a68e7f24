"""v <- v + 0.1 n_{:E}: the first channels of the branch input, added to the values."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_values",
    summary="Adds a part of the branch input to the values.",
    source="pgolf's documentation",
    family="architecture",
)


def add_input(model, v_BTE, n_BTD, layer, position, ctx):
    """All key/value heads side by side."""
    ctx.fired("example_values", "layers")
    return v_BTE + 0.1 * n_BTD[..., : v_BTE.size(2)]


@hookimpl
def value_terms(settings) -> Component:
    """Every layer."""
    return Component(add_input)
