"""y <- y / rms(y), for the MLP."""

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.layers import rms_norm

PLUGIN = Plugin(
    name="example_mlp_norm",
    summary="Normed MLP output.",
    source="pgolf's documentation",
    family="architecture",
)


def norm_output(model, y_BTD, n_BTD, layer, position, ctx):
    """Before `mlp_scale`."""
    ctx.fired("example_mlp_norm", "layers")
    return rms_norm(y_BTD)


@hookimpl
def mlp_outputs(settings) -> Component:
    """Every layer."""
    return Component(norm_output)
