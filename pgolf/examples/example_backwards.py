"""Matrices are stored with their columns in reverse, and turned around when they are decoded."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_backwards",
    summary="Columns are stored in reverse.",
    source="pgolf's documentation",
    family="quantizer",
)


class Backwards:
    """The statistics of inputs belong to columns, so they turn around too."""

    def apply(self, name, tensor, statistics, ledger):
        """What the recipe gets."""
        if tensor.ndim != 2:
            return tensor, statistics
        ledger.count("example_backwards", "matrices")
        return tensor.flip(1), {
            key: value.flip(0, 1) if value.ndim == 2 else value for key, value in statistics.items()
        }

    def undo(self, name, tensor):
        """Nothing is stored for it: the same question has the same answer again."""
        return tensor.flip(1) if tensor.ndim == 2 else tensor


@hookimpl
def tensor_transforms(settings) -> Component:
    """Every matrix."""
    return Component(Backwards)
