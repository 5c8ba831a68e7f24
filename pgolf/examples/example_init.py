"""W ~ N(0, 0.02^2)."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_init",
    summary="Normal start of matrices.",
    source="pgolf's documentation",
    family="architecture",
)


def small_normal(tensor, generator, ledger):
    """Draw from `generator` alone: it depends on the seed and the tensor's name."""
    tensor.normal_(0.0, 0.02, generator=generator)
    ledger.count("example_init", "matrices")


@hookimpl
def initializer(settings) -> Component:
    """For every matrix whose record has no `init`."""
    return Component(small_normal)
