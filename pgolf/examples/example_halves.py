"""The first MLP matrix of each layer is orthogonalized in two halves of its rows."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_halves",
    summary="MLP updates orthogonalized in halves.",
    source="pgolf's documentation",
    family="optimizer",
)


class Halves:
    """`name` is the plugin's, under which the matrix optimizer leaves the receipt."""

    name = "example_halves"

    def __call__(self, name, rows):
        return 2 if name.endswith("mlp.fc.weight") and rows % 2 == 0 else 1


@hookimpl
def row_blocks(settings) -> Component:
    """Asked once for each matrix."""
    return Component(Halves)
