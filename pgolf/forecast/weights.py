"""Stand-ins for trained weights: rows of normal numbers with the spread that training should give them.

Trained matrices have nearly normal rows (kurtosis 2.9 to 3.7), so codes whose step follows the row's spread have an entropy
that is known without training. Where an exporter's step has a floor, bytes depend on the spread itself:

    W = kept * start + N(0, s^2)      kept <- d kept      s^2 <- d^2 s^2 + MEMORY m (lr u)^2      d = 1 - lr wd, at every step
    m = (1 + mu) / (1 - mu), mu the momentum
    u = sqrt(max(1, rows / cols) / max(rows, cols)), root mean square of an orthogonal update; element-wise: u = 1, m = 1

a random walk whose steps remember each other as long as the momentum does. MEMORY and ELEMENT_MEMORY are fitted to one small
model (benchmarks/results.md): good to some tenths. `walks_like` takes the spreads of weights that there are instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_tensors, keyed_generator, matrix_role
from pgolf.runtime.progress import Scalars, measure_progress

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.program import Program
    from pgolf.runtime.records import Param

MEMORY = {"attn": 0.48, "mlp": 0.69, "": 0.58}
"""By quantization class; the last is of any other matrix."""
ELEMENT_MEMORY = 0.39
CORRELATION = 0.9
"""Of neighbouring inputs of a matrix in `like_inputs`: fitted so that error feedback spreads codes as on real inputs."""
SEED = 1


def role_of(name: str) -> str:
    """`attn.c_q` for the matrix of any layer, `attn_scale` for another tensor of a layer, else the name itself."""
    role, _ = matrix_role(name, "")
    if role:
        return role
    return name.split(".", 2)[2] if name.startswith("blocks.") else name


def schedule(program: Program, steps: int, cap_ms: float) -> Iterator[Scalars]:
    """The scalars of every step, were all steps equally long."""
    ledger = Ledger()
    for step in range(steps):
        elapsed = cap_ms * step / max(steps, 1)
        progress = measure_progress(step, steps, elapsed, cap_ms)
        scalars = Scalars(1.0, 1.0, 0.0)
        for change in program.schedules:
            scalars = change(progress, scalars, ledger)
        yield scalars


class Walk(NamedTuple):
    """What training does to a tensor: it keeps this share of its start, and adds normal numbers of this deviation."""

    kept: float
    noise: float


def trained_walk(shape: Sequence[int], lr: float, decay: float, memory: float, scalars: Sequence[Scalars]) -> Walk:
    """The walk of a tensor, see above; `memory` is 0 for element-wise updates."""
    update = math.sqrt(max(1, shape[0] / shape[1]) / max(shape[:2])) if memory else 1.0
    kept, square = 1.0, 0.0
    for step in scalars:
        rate = lr * step.lr_mul
        left = 1 - rate * decay * step.weight_decay_mul
        walked = memory * (1 + step.momentum) / (1 - step.momentum) if memory else ELEMENT_MEMORY
        kept, square = kept * left, square * left * left + walked * (rate * update) ** 2
    return Walk(kept, math.sqrt(square))


def expected_walks(
    program: Program, parameters: Sequence[Param], values: Mapping[str, Any], steps: int, cap_ms: float
) -> dict[str, Walk]:
    """Role -> what `steps` steps do to it; `values` are the recipe's settings."""
    scalars = list(schedule(program, steps, cap_ms))
    groups = {group.name: (group.lr, group.weight_decay) for group in program.groups}
    groups["matrix"] = values.get("matrix_lr", 0.0), values.get("muon_wd", 0.0)
    found: dict[str, Walk] = {}
    for name, _, record in canonical_tensors(parameters):
        shape = record.shape[1:] if record.members else record.shape
        if role_of(name) not in found:
            memory = MEMORY.get(record.quant, MEMORY[""]) if record.group == "matrix" and len(shape) == 2 else 0.0
            found[role_of(name)] = trained_walk(shape, *groups[record.group], memory, scalars)
    return found


def walks_like(state: Mapping[str, Tensor]) -> dict[str, Walk]:
    """Role -> the walk that leaves the rows' standard deviations of weights that there are: their mean square, of all layers.

    Only of matrices; what else there is hardly counts.
    """
    squares: dict[str, list[float]] = {}
    for name, tensor in state.items():
        if tensor.ndim == 2 and min(tensor.shape) > 2:
            squares.setdefault(role_of(name), []).append(tensor.float().var(1).mean().item())
    return {role: Walk(0.0, math.sqrt(sum(found) / len(found))) for role, found in squares.items()}


def stand_in(name: str, init: Any, shape: Sequence[int], walk: Walk) -> Tensor:
    """A tensor like a trained one."""
    start = torch.empty(tuple(shape))
    init(start, keyed_generator(SEED, name), Ledger())
    return start * walk.kept + torch.randn(start.shape, generator=keyed_generator(SEED, "walk of " + name)) * walk.noise


def like_inputs(columns: int) -> Tensor:
    """A Hessian as of inputs whose neighbours go together: H_ij = CORRELATION^|i-j|."""
    places = torch.arange(columns)
    return torch.full((), CORRELATION).pow((places[:, None] - places).abs().float())
