"""One optimizer step: which tensor goes to which optimizer, and in which order reductions and updates happen.

Protocols of the slots and taps of this page; all calls happen under `torch.no_grad()`.

- `matrix_optimizer`: `bind(tensors, program, world)` takes the parameters of group "matrix" in declaration order and
  makes all state anew; `launch()` starts whatever can overlap with the other reductions; `step(scalars, ledger)`.
- `element_optimizer`: `bind(groups, world)` takes `[(Group, [tensor, ...]), ...]` and makes all state anew;
  `step(scalars, ledger)`.
- `orthogonalizer`: `f(update, steps) -> update`, and `name`, under which the matrix optimizer counts its matrices.
- `gradient_taps`: `tap(tensors, ledger)` on this rank's own gradients (`tensor.grad` may be None).
- `update_taps`: `tap(update, ledger) -> update`; `apply_taps`: `tap(tensor, lr, scalars, ledger)`, in place, where `lr`
  already holds the schedule's multiplier.
"""

import torch

from pgolf.runtime.distributed import mean_gradients


class Optimizers:
    """Every optimizer of a run. Making a second one starts all state afresh: the compile warm-up relies on it.

    Records with reduction "sharded" are reduced by the matrix optimizer itself; all others are averaged here. `averaged`
    lists the tensors that take part in weight averaging.
    """

    def __init__(self, program, model, parameters, world):
        self.program, self.world = program, world
        owned = [(model.get_parameter(name), record) for record in parameters for name in record.stored_names()]
        self.tensors = [tensor for tensor, record in owned]
        self.replicated = [tensor for tensor, record in owned if record.reduction == "replicated"]
        self.averaged = [tensor for tensor, record in owned if record.average]
        program.matrix_optimizer.bind([tensor for tensor, record in owned if record.group == "matrix"], program, world)
        groups = [(spec, [tensor for tensor, record in owned if record.group == spec.name]) for spec in program.groups]
        program.element_optimizer.bind(groups, world)

    @torch.no_grad()
    def step(self, scalars, ledger):
        """Reduce this step's gradients, update every parameter, and drop the gradients.

        Taps see each rank's own gradients, as the banked scripts clip them; the clipped ones are then averaged.
        """
        for tap in self.program.gradient_taps:
            tap(self.tensors, ledger)
        self.program.matrix_optimizer.launch()
        mean_gradients(self.replicated, self.world)
        self.program.element_optimizer.step(scalars, ledger)
        self.program.matrix_optimizer.step(scalars, ledger)
        for tensor in self.tensors:
            tensor.grad = None


def compile_on_gpu(function, world):
    """The model or the orthogonalizer, compiled where there is a GPU; the only place that compiles."""
    if world.device.type == "cuda":
        return torch.compile(function, dynamic=False, fullgraph=True)
    return function


def nesterov_update(gradient, buffer, momentum):
    """M <- mu M + G, then U = G + mu M, in the dtype of `gradient` and `buffer`."""
    buffer.mul_(momentum).add_(gradient)
    return gradient.add(buffer, alpha=momentum)


def aspect_scale(matrix):
    """sqrt(max(1, rows / columns)): gives tall matrices the update size of square ones."""
    return max(1, matrix.shape[-2] / matrix.shape[-1]) ** 0.5
