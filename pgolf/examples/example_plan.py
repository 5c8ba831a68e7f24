"""A quarter of the layers are encoder steps, the others decoder steps."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_plan",
    summary="A short encoder.",
    source="pgolf's documentation",
    family="architecture",
)


class ShortEncoder:
    """A class, because the contract asks for a name."""

    name = "example_plan"

    def __init__(self, num_layers):
        self.layers = tuple(range(num_layers))

    def __call__(self, phases):
        cut = len(self.layers) // 4
        return self.layers[:cut], self.layers[cut:]


@hookimpl
def layer_plan(settings) -> Component:
    """The same for every set of phases."""
    return Component(ShortEncoder, num_layers=settings.num_layers)
