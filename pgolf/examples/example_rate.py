"""Output projections learn at half the rate of the other matrices, in layers and in banks."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_rate",
    summary="Half the learning rate for projections into the stream.",
    source="pgolf's documentation",
    family="optimizer",
)


def halve_for_projections(name, lr, ledger):
    """lr of the matrix `name`."""
    ledger.count("example_rate", "rates")
    return lr / 2 if name.endswith("proj.weight") else lr


@hookimpl
def matrix_rate(settings) -> Component:
    """By canonical name."""
    return Component(halve_for_projections)
