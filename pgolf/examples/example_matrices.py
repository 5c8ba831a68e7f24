"""W <- W - lr orth(G): orthogonalized gradients without momentum, on every rank alike."""

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.distributed import gradient_of
from pgolf.runtime.optimize import apply_update, count_blocks, orthogonalize

PLUGIN = Plugin(
    name="example_matrices",
    summary="Matrix optimizer without state.",
    source="pgolf's documentation",
    family="optimizer",
)


class OrthogonalDescent:
    """Gradients are averaged over ranks already, unless a record says "sharded"."""

    def __init__(self, lr):
        self.lr = lr

    def bind(self, tensors, names, program, world):
        """Called once for the warm-up and once for training: all state starts anew."""
        self.tensors, self.names, self.program = tensors, names, program
        self.blocks = count_blocks(program, tensors, names)

    def launch(self):
        """Nothing to start early."""

    def shares(self):
        """Nothing is reduced here."""
        return {}

    def step(self, scalars, ledger):
        """Whoever fills this slot calls update taps, `orthogonalize` and `apply_update`, which call what else is chosen."""
        for tensor, names in zip(self.tensors, self.names, strict=True):
            update = gradient_of(tensor)
            for tap in self.program.update_taps:
                update = tap(update, names, ledger)
            update = orthogonalize(self.program, update, names, 5, self.blocks, ledger)
            apply_update(self.program, tensor, update, names, self.lr, 1.0, scalars, ledger)
        ledger.count("example_matrices", "updates", len(self.tensors))
        ledger.count(self.program.orthogonalizer.name, "matrices", len(self.tensors))


@hookimpl
def matrix_optimizer(settings) -> Component:
    """Takes Muon's place."""
    return Component(OrthogonalDescent, lr=0.02)
