"""One optimizer step: which tensor goes to which optimizer, and in which order reductions and updates happen.

What components are called with stands in `pgolf.contracts.optimizer`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch

from pgolf.runtime.distributed import mean_gradients
from pgolf.runtime.parameters import canonical_names

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pgolf.runtime.distributed import World
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.program import Program
    from pgolf.runtime.progress import Scalars
    from pgolf.runtime.records import Param


class Optimizers:
    """Every optimizer of a run. Making a second one starts all state afresh: the compile warm-up relies on it.

    Records with reduction "sharded" are reduced by the matrix optimizer itself; all others are averaged here. `averaged`
    and `averaged_names` list the tensors that take part in weight averaging and the canonical names of what they hold.
    """

    def __init__(self, program: Program, model: nn.Module, parameters: Sequence[Param], world: World) -> None:
        self.program, self.world = program, world
        owned = [
            (model.get_parameter(name), canonical_names(record, name), record)
            for record in parameters
            for name in record.stored_names()
        ]
        self.tensors = [tensor for tensor, names, record in owned]
        self.names = [names for tensor, names, record in owned]
        self.replicated = [tensor for tensor, names, record in owned if record.reduction == "replicated"]
        self.averaged = [tensor for tensor, names, record in owned if record.average]
        self.averaged_names = [names for tensor, names, record in owned if record.average]
        matrices = [tensor for tensor, names, record in owned if record.group == "matrix"]
        matrix_names = [names for tensor, names, record in owned if record.group == "matrix"]
        program.matrix_optimizer.bind(matrices, matrix_names, program, world)
        groups = [
            (
                spec,
                [tensor for tensor, names, record in owned if record.group == spec.name],
                [names for tensor, names, record in owned if record.group == spec.name],
            )
            for spec in program.groups
        ]
        program.element_optimizer.bind(groups, world)

    @torch.no_grad()
    def step(self, scalars: Scalars, ledger: Ledger) -> None:
        """Reduce this step's gradients, update every parameter, and drop the gradients.

        Taps see each rank's own gradients, as the banked scripts clip them; the clipped ones are then averaged.
        """
        for tap in self.program.gradient_taps:
            tap(self.tensors, self.names, ledger)
        self.program.matrix_optimizer.launch()
        mean_gradients(self.replicated, self.world)
        self.program.element_optimizer.step(scalars, ledger)
        self.program.matrix_optimizer.step(scalars, ledger)
        for tensor in self.tensors:
            tensor.grad = None


def compile_on_gpu(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function or the model, compiled where there is a GPU, because ranks then compute on it; all compiling is here."""
    if torch.cuda.is_available():
        return torch.compile(function, dynamic=False, fullgraph=True)
    return function


def nesterov_update(gradient: Tensor, buffer: Tensor, momentum: float) -> Tensor:
    """M <- mu M + G, then U = G + mu M, in the dtype of `gradient` and `buffer`."""
    buffer.mul_(momentum).add_(gradient)
    return gradient.add(buffer, alpha=momentum)


def aspect_scale(matrix: Tensor) -> float:
    """sqrt(max(1, rows / columns)): gives tall matrices the update size of square ones."""
    return max(1, matrix.shape[-2] / matrix.shape[-1]) ** 0.5
