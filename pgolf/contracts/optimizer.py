"""Components of a training step. All calls happen under `torch.no_grad()`.

`names` are the canonical names of what a tensor holds: one for a single tensor, one per member along the first axis for a
bank or a shard of one, "" for padding.

Optimizers, averages and orthogonal taps start anew after the compile warm-up. Other taps are called in the warm-up too, and
what they remember of it stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.distributed import World
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.optimize import Optimizers
    from pgolf.runtime.program import Program
    from pgolf.runtime.progress import Progress, Scalars
    from pgolf.runtime.records import Group
    from pgolf.runtime.session import Session

Names = tuple[str, ...]


class MatrixOptimizer(Protocol):
    """Optimizer of the parameters of group "matrix"."""

    def bind(self, tensors: Sequence[Tensor], names: Sequence[Names], program: Program, world: World, /) -> None:
        """Take the parameters in declaration order and make all state anew."""

    def launch(self) -> None:
        """Start whatever can overlap with the other gradients' reduction."""

    def shares(self) -> dict[Tensor, tuple[Tensor, Names]]:
        """Parameter -> this rank's share of its mean gradient, to be changed in place, and the names in that share.

        For parameters that the optimizer reduces itself; it waits until they are reduced. Called between `launch` and
        `step`, where there are `mean_gradient_taps`.
        """

    def step(self, scalars: Scalars, ledger: Ledger, /) -> None:
        """One update of every matrix."""


class Orthogonalizer(Protocol):
    """Nearest semi-orthogonal matrix."""

    name: str
    """The plugin's name, under which the matrix optimizer counts its matrices."""

    def __call__(self, update: Tensor, names: Names, steps: int, /) -> Tensor:
        """(rows, cols) or (batch, rows, cols) to the same shape in bfloat16."""


class RowBlocks(Protocol):
    """Into how many blocks of consecutive rows a matrix is cut, each of which is orthogonalized by itself.

    A block has a Frobenius norm of its own. What depends on the matrix's shape, such as the size of the step, still goes
    by the whole matrix.
    """

    name: str
    """The plugin's name, under which the matrix optimizer notes how many matrices it cut."""

    def __call__(self, name: str, rows: int, /) -> int:
        """A divisor of `rows`; 1 leaves the matrix whole.

        Asked once for each canonical name of group "matrix", when the optimizer binds, and alike on every rank.
        """


class MatrixRate(Protocol):
    """The learning rate of each matrix."""

    def __call__(self, name: str, lr: float, ledger: Ledger, /) -> float:
        """Called at every step with a canonical name and the matrix optimizer's rate; both rates are without the schedule.

        Weight decay goes by the matrix's own rate.
        """


class ElementOptimizer(Protocol):
    """Optimizer of every group but "matrix"."""

    def bind(self, groups: Sequence[tuple[Group, Sequence[Tensor], Sequence[Names]]], world: World, /) -> None:
        """Take the groups with their tensors and make all state anew."""

    def step(self, scalars: Scalars, ledger: Ledger, /) -> None:
        """One update of every tensor."""


class ElementStream(Protocol):
    """Runs the element optimizer's step beside the matrix optimizer's."""

    def start(self, optimizer: ElementOptimizer, scalars: Scalars, ledger: Ledger, /) -> None:
        """Call `optimizer.step(scalars, ledger)`, at once or at the same time as what follows; gradients are averaged."""

    def finish(self) -> None:
        """Wait for it, as far as what comes next needs; gradients are dropped then."""


class Clock(Protocol):
    """Training time."""

    deterministic: bool
    """Whether time is a function of the step, so that two runs can be equal."""

    def start(self) -> None:
        """Begin, or go on after a pause."""

    def pause(self, ledger: Ledger, /) -> None:
        """Stop counting until `start`."""

    def elapsed_ms(self, step: int, /) -> float:
        """Milliseconds of training so far."""


class Checkpoints(Protocol):
    """Keeps the state of training on disk. No plugin provides it and no built file has it: `pgolf train --checkpoint-every`
    puts it into a live run."""

    def resume(self, session: Session, optimizers: Optimizers, /) -> tuple[int, float]:
        """(steps done, milliseconds of training) of the state that now is everywhere; (0, 0.0) for a start."""

    def save(self, session: Session, optimizers: Optimizers, step: int, elapsed_ms: float, /) -> None:
        """Called on every rank after each step."""


class Average(Protocol):
    """Weight averaging; the same list of tensors each time."""

    def start(self, tensors: Sequence[Tensor], names: Sequence[Names], /) -> None:
        """Begin at the present weights."""

    def update(self, tensors: Sequence[Tensor], steps: int, scalars: Scalars, /) -> None:
        """Add the weights of a finished step: the `steps`th, made with `scalars`."""

    def apply(self, tensors: Sequence[Tensor], ledger: Ledger, /) -> None:
        """Copy the average into the live tensors."""


class GradientTap(Protocol):
    """Changes this rank's own gradients before they are reduced."""

    def __call__(self, tensors: Sequence[Tensor], names: Sequence[Names], ledger: Ledger, /) -> None:
        """Change `tensor.grad`, which may be None, in place."""


class MeanGradientTap(Protocol):
    """Changes gradients once they are averaged over ranks."""

    def __call__(
        self,
        gradients: Sequence[Tensor],
        names: Sequence[Names],
        replicated: Sequence[bool],
        world: World,
        ledger: Ledger,
        /,
    ) -> None:
        """Change the mean gradients in place.

        A gradient that is not `replicated` is this rank's share of one: ranks together hold each member once, so a sum
        over the whole gradient is a sum over ranks. The others are whole, and must stay equal on all ranks.
        """


class UpdateTap(Protocol):
    """Changes a matrix update before it is orthogonalized."""

    def __call__(self, update: Tensor, names: Names, ledger: Ledger, /) -> Tensor:
        """(rows, cols) or (batch, rows, cols) to the same shape."""


class OrthogonalTap(Protocol):
    """Changes a matrix update after it is orthogonalized, on the rank that has orthogonalized it."""

    def restart(self) -> None:
        """Forget all state; called before the compile warm-up and before training."""

    def __call__(self, update: Tensor, names: Names, ledger: Ledger, /) -> Tensor:
        """(rows, cols) or (batch, rows, cols) to the same shape and dtype.

        A rank has the same `names` at every step, which tell its updates apart: they are the key of state. Which matrices
        come together depends on layout and ranks, so each must be changed by what is known of it alone.
        """


class ApplyTap(Protocol):
    """Changes a matrix just before its update is applied."""

    def __call__(
        self, tensor: Tensor, update: Tensor, names: Names, lr: float, scalars: Scalars, ledger: Ledger, /
    ) -> None:
        """Change `tensor` or `update` in place; `update` times a factor is subtracted next, and `lr` is scheduled already."""


class Schedule(Protocol):
    """Sets the step's scalars."""

    def __call__(self, progress: Progress, scalars: Scalars, ledger: Ledger, /) -> Scalars:
        """New scalars."""


class ForwardScalar(Protocol):
    """A number that the forward of a training step reads as a float32 tensor () in `ctx.fields`; no code is compiled anew.

    Scoring and calibration do not have it.
    """

    def __call__(self, progress: Progress, /) -> float:
        """Its value in this step; called once a step, after phases have begun, so it may remember when something was."""


class PhaseStart(Protocol):
    """When a phase begins."""

    def __call__(self, progress: Progress, /) -> bool:
        """True from the step at which the phase is on."""
