"""The element optimizer's step is made after the matrix optimizer's, not before it."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_stream",
    summary="Element optimizer last.",
    source="pgolf's documentation",
    family="optimizer",
)


class Later:
    """Keeps the call until it has to be done."""

    def start(self, optimizer, scalars, ledger):
        self.waiting = (optimizer, scalars, ledger)

    def finish(self):
        optimizer, scalars, ledger = self.waiting
        optimizer.step(scalars, ledger)
        ledger.count("example_stream", "steps")


@hookimpl
def element_stream(settings) -> Component:
    """Both orders give the same weights: no tensor belongs to both optimizers."""
    return Component(Later)
