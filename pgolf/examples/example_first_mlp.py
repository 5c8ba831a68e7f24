"""The first layer has no MLP matrices: it uses those of the last."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_first_mlp",
    summary="The first layer shares the MLP of the last.",
    source="pgolf's documentation",
    family="architecture",
)


def share_last(role, layer, position, ctx, last):
    """Calibration sees the inputs of both under the last layer's matrices."""
    if layer > 0 or not role.startswith("mlp."):
        return layer
    ctx.fired("example_first_mlp", "matrices")
    return last


@hookimpl
def matrix_layers(settings) -> Component:
    """For every step of layer 0."""
    return Component(share_last, last=settings.num_layers - 1)


@hookimpl
def dropped_matrices(settings) -> list[str]:
    """Nothing reads them."""
    return ["blocks.0.mlp.fc.weight", "blocks.0.mlp.proj.weight"]
