"""W <- a W for the first matrix of each MLP, where a grows from 1/2 to 1 in the first half of training."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_fade",
    summary="The MLP fades in.",
    source="pgolf's documentation",
    family="optimizer",
)


def fade(progress):
    """A float; `ctx.fields` has it as a tensor, so that no step compiles anything anew."""
    return min(0.5 + progress.fraction, 1.0)


def scale_matrix(model, weight, role, layer, position, ctx):
    """Scoring does not have the number."""
    if role != "mlp.fc" or not ctx.training:
        return weight
    ctx.fired("example_fade", "matrices")
    return weight * ctx.fields["example_fade"]


@hookimpl
def forward_scalars(settings) -> dict[str, Component]:
    """By name, which the plugin's own name keeps from clashing."""
    return {"example_fade": Component(fade)}


@hookimpl
def weight_taps(settings) -> Component:
    """Every use of every matrix."""
    return Component(scale_matrix)
