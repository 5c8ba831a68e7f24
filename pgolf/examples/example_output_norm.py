"""y <- y / rms(y), for each head."""

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.layers import rms_norm

PLUGIN = Plugin(
    name="example_output_norm",
    summary="Normed attention output.",
    source="pgolf's documentation",
    family="architecture",
)


def norm_heads(model, y_BTHC, v_BTKC, n_BTD, layer, position, ctx):
    """Before the output projection."""
    ctx.fired("example_output_norm", "layers")
    return rms_norm(y_BTHC)


@hookimpl
def attention_outputs(settings) -> Component:
    """Every layer."""
    return Component(norm_heads)
