"""x <- clamp(x, -8, 8) before the output projection of the MLP."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_clamp",
    summary="Bounds the hidden activations of the MLP.",
    source="pgolf's documentation",
    family="architecture",
)


def clamp_hidden(model, x, role, layer, position, ctx):
    """(B,T,hidden)."""
    if role != "mlp.proj":
        return x
    ctx.fired("example_clamp", "layers")
    return x.clamp(-8.0, 8.0)


@hookimpl
def matrix_inputs(settings) -> Component:
    """What a matrix multiplies; calibration sees the result."""
    return Component(clamp_hidden)
