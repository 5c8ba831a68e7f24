"""W <- mean of W over all steps."""

import torch

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_average",
    summary="Uniform average of the weights.",
    source="pgolf's documentation",
    family="optimizer",
)


class UniformAverage:
    """Sums in float32, whatever the dtype of the weights."""

    def start(self, tensors, names):
        """The weights before the first step do not count."""
        self.steps, self.sums = 0, [torch.zeros_like(tensor, dtype=torch.float32) for tensor in tensors]

    def update(self, tensors, steps, scalars):
        """After every step."""
        self.steps += 1
        for total, tensor in zip(self.sums, tensors, strict=True):
            total.add_(tensor.detach())

    def apply(self, tensors, ledger):
        """Once, before the export."""
        if self.steps:
            for total, tensor in zip(self.sums, tensors, strict=True):
                tensor.data.copy_(total / self.steps)
        ledger.count("example_average", "steps", self.steps)


@hookimpl
def average(settings) -> Component:
    """In place of the last weights."""
    return Component(UniformAverage)
