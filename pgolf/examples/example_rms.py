"""U <- U / max of its root mean square so far: the first steps are the largest; state by names."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_rms",
    summary="Orthogonalized updates over the largest root mean square that they had.",
    source="pgolf's documentation",
    family="optimizer",
)


class LargestSoFar:
    """One number for each matrix of an update, on the rank that has it."""

    def restart(self):
        """The compile warm-up leaves nothing behind."""
        self.largest = {}

    def __call__(self, update, names, ledger):
        size = update.square().mean((-2, -1), keepdim=True).sqrt().clamp(min=1e-7)
        self.largest[names] = self.largest[names].maximum(size) if names in self.largest else size
        ledger.count("example_rms", "updates")
        return update / self.largest[names]


@hookimpl
def orthogonal_taps(settings) -> Component:
    """After the orthogonalizer, before ranks share their updates."""
    return Component(LargestSoFar)
