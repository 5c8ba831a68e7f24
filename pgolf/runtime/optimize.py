"""One optimizer step: which tensor goes to which optimizer, and in which order reductions and updates happen.

What components are called with stands in `pgolf.contracts.optimizer`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch

from pgolf.runtime.distributed import mean_gradients
from pgolf.runtime.parameters import canonical_names

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pgolf.contracts.optimizer import Names
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
        self.program = program
        self.world = world
        for tap in program.orthogonal_taps:
            tap.restart()
        owned = [
            (model.get_parameter(name), canonical_names(record, name), record)
            for record in parameters
            for name in record.stored_names()
        ]
        self.tensors, self.names = apart(owned)
        self.replicated = [tensor for tensor, names, record in owned if record.reduction == "replicated"]
        self.averaged, self.averaged_names = apart([one for one in owned if one[2].average])
        matrices, matrix_names = apart([one for one in owned if one[2].group == "matrix"])
        program.matrix_optimizer.bind(matrices, matrix_names, program, world)
        groups = [(spec, *apart([one for one in owned if one[2].group == spec.name])) for spec in program.groups]
        program.element_optimizer.bind(groups, world)

    @torch.no_grad()
    def step(self, scalars: Scalars, ledger: Ledger) -> None:
        """Reduce this step's gradients, update every parameter, and drop the gradients.

        Gradient taps see each rank's own gradients, as the banked scripts clip them; the clipped ones are then averaged.
        """
        for tap in self.program.gradient_taps:
            tap(self.tensors, self.names, ledger)
        self.program.matrix_optimizer.launch()
        mean_gradients(self.replicated, self.world)
        if self.program.mean_gradient_taps:
            tap_mean_gradients(self.program, self.tensors, self.names, self.world, ledger)
        if self.program.element_stream is None:
            self.program.element_optimizer.step(scalars, ledger)
        else:
            self.program.element_stream.start(self.program.element_optimizer, scalars, ledger)
        self.program.matrix_optimizer.step(scalars, ledger)
        if self.program.element_stream is not None:
            self.program.element_stream.finish()
        for tensor in self.tensors:
            tensor.grad = None


def apart(owned: Sequence[tuple[Tensor, Names, Param]]) -> tuple[list[Tensor], list[Names]]:
    """The tensors of some (tensor, names of what it holds, record), and the names."""
    return [tensor for tensor, names, record in owned], [names for tensor, names, record in owned]


def tap_mean_gradients(
    program: Program, tensors: Sequence[Tensor], names: Sequence[Names], world: World, ledger: Ledger
) -> None:
    """Call the taps with every mean gradient that this rank holds, whole or a share."""
    shares = program.matrix_optimizer.shares()
    held = [shares.get(tensor, (tensor.grad, own)) for tensor, own in zip(tensors, names, strict=True)]
    gradients, held_names = [gradient for gradient, own in held], [own for gradient, own in held]
    replicated = [tensor not in shares for tensor in tensors]
    for tap in program.mean_gradient_taps:
        tap(gradients, held_names, replicated, world, ledger)  # type: ignore[arg-type]


def compile_on_gpu(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function or the model, compiled where there is a GPU, because ranks then compute on it; all compiling is here."""
    if torch.cuda.is_available():
        return torch.compile(function, dynamic=False, fullgraph=True)
    return function


class CompiledOrthogonalizer:
    """`pgolf.contracts.optimizer.Orthogonalizer`, names aside; compiled at its first use, a variant for each shape.

    In bfloat16 on a GPU; on a CPU in float32, as all else there, because without AVX-512 bfloat16 takes 10 to 60 times as
    long. The result is bfloat16.

    Args:
        name: the plugin's name.
        iterate: `iterate(update, steps)` on (rows, columns) or (batch, rows, columns), in the update's dtype.
    """

    def __init__(self, name: str, iterate: Callable[[Tensor, int], Tensor]) -> None:
        self.name = name
        self.iterate = iterate
        self.compiled: Callable[[Tensor, int], Tensor] | None = None

    def __call__(self, update: Tensor, names: Names, steps: int) -> Tensor:
        if self.compiled is None:
            self.compiled = compile_on_gpu(self.iterate)
        return self.compiled(update.bfloat16() if update.is_cuda else update.float(), steps).bfloat16()


def count_blocks(program: Program, tensors: Sequence[Tensor], names: Sequence[Names]) -> dict[str, int]:
    """Number of row blocks of every matrix that is cut, for a matrix optimizer that binds all of `tensors`.

    Raises:
        ValueError: a number that does not divide the rows, or no matrix that is cut.
    """
    if program.row_blocks is None:
        return {}
    blocks = {}
    for tensor, held in zip(tensors, names, strict=True):
        for name in held:
            rows = tensor.shape[-2]
            count = program.row_blocks(name, rows)
            if count < 1 or rows % count:
                raise ValueError(f"{program.row_blocks.name} cuts the {rows} rows of {name} into {count} blocks")
            if count > 1:
                blocks[name] = count
    if not blocks:
        raise ValueError(
            f"{program.row_blocks.name} cuts none of the matrices {[name for held in names for name in held]}"
        )
    return blocks


def orthogonalize(
    program: Program, update: Tensor, names: Names, steps: int, blocks: dict[str, int], ledger: Ledger
) -> Tensor:
    """The program's orthogonalizer and the taps after it, on (rows, columns) or (batch, rows, columns).

    `blocks` are those of `count_blocks`.
    """
    if program.row_blocks is not None:
        ledger.note(program.row_blocks.name, f"{len(blocks)} matrices in blocks of rows")
    if program.row_blocks is not None and not blocks.keys().isdisjoint(names):
        update = orthogonalize_blocks(program, update, names, steps, blocks)
    else:
        update = program.orthogonalizer(update, names, steps).contiguous()
    # Shares that are padding alone have equal names, which are no keys for state.
    if program.orthogonal_taps and any(names):
        for tap in program.orthogonal_taps:
            update = tap(update, names, ledger)
    return update


def orthogonalize_blocks(program: Program, update: Tensor, names: Names, steps: int, blocks: dict[str, int]) -> Tensor:
    """`orthogonalize` where some of the matrices are cut: one batched call for all that are cut alike."""
    rows, columns = update.shape[-2:]
    matrices = update.reshape(-1, rows, columns).unbind()
    counts = [blocks.get(name, 1) for name in names]
    done: dict[int, Any] = {}
    for count in sorted(set(counts)):
        slots = [slot for slot, other in enumerate(counts) if other == count]
        stack = torch.stack([matrices[slot] for slot in slots]).view(-1, rows // count, columns)
        repeated = tuple(names[slot] for slot in slots for _ in range(count))
        found = program.orthogonalizer(stack, repeated, steps).reshape(-1, rows, columns)
        done.update(zip(slots, found.unbind(), strict=True))
    return torch.stack([done[slot] for slot in range(len(counts))]).view_as(update)


def apply_update(
    program: Program,
    tensor: Tensor,
    update: Tensor,
    names: Names,
    lr: float,
    scale: float,
    scalars: Scalars,
    ledger: Ledger,
) -> None:
    """W <- W - lr scale U in place, with the program's taps before it, for a matrix or a whole bank.

    `lr` is without the schedule. Where there is a `matrix_rate`, neighbours in a bank that have one rate go together.
    """
    if program.matrix_rate is None:
        apply_alike(program, tensor, update, names, lr * scalars.lr_mul, scale, scalars, ledger)
        return
    rates = [program.matrix_rate(name, lr, ledger) for name in names]
    start = 0
    for rate, alike in itertools.groupby(rates):
        end = start + len([*alike])
        weight, step = (tensor, update) if tensor.ndim == 2 else (tensor[start:end], update[start:end])
        apply_alike(program, weight, step, names[start:end], rate * scalars.lr_mul, scale, scalars, ledger)
        start = end


def apply_alike(
    program: Program,
    tensor: Tensor,
    update: Tensor,
    names: Names,
    lr: float,
    scale: float,
    scalars: Scalars,
    ledger: Ledger,
) -> None:
    """`apply_update` at one learning rate, the schedule's multiplier included."""
    for tap in program.apply_taps:
        tap(tensor, update, names, lr, scalars, ledger)
    tensor.add_(update, alpha=-lr * scale)


def nesterov_update(gradient: Tensor, buffer: Tensor, momentum: float) -> Tensor:
    """M <- mu M + G, then U = G + mu M, in the dtype of `gradient` and `buffer`."""
    buffer.mul_(momentum).add_(gradient)
    return gradient.add(buffer, alpha=momentum)


def aspect_scale(matrix: Tensor) -> float:
    """sqrt(max(1, rows / columns)): gives tall matrices the update size of square ones."""
    return max(1, matrix.shape[-2] / matrix.shape[-1]) ** 0.5  # type: ignore[no-any-return]
