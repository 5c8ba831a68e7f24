"""The last layer has no MLP matrices: it uses those of the first."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_first_mlp",
    summary="The last layer shares the MLP of the first.",
    source="pgolf's documentation",
    family="architecture",
)


def share_first(role, layer, position, ctx, last):
    """Calibration sees the inputs of both under the first layer's matrices."""
    if layer != last or not role.startswith("mlp."):
        return layer
    ctx.fired("example_first_mlp", "matrices")
    return 0


@hookimpl
def matrix_layers(settings) -> Component:
    """The layer that a plan calls the last."""
    return Component(share_first, last=settings.num_layers - 1)


@hookimpl
def dropped_matrices(settings) -> list[str]:
    """Nothing reads them."""
    return [f"blocks.{settings.num_layers - 1}.mlp.{role}.weight" for role in ("fc", "proj")]
