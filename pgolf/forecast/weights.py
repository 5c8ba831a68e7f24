"""Stand-ins for trained weights: rows of normal numbers with the spread that training should give them.

Trained matrices have nearly normal rows (kurtosis 2.9 to 3.7), so codes whose step follows the row's spread have an entropy
that is known without training. Columns have unlike energies, as inputs have, of which coders make use. Where an exporter's
step has a floor, bytes depend on the spread itself:

    W <- d W - lr U     d = 1 - lr wd     U <- rho U + sqrt(1 - rho^2) N(0, e u^2)     then the average that the recipe exports
    rho  the momentum; element-wise: beta_1
    u    sqrt(max(1, rows / cols) / max(rows, cols)), root mean square of an orthogonal update, times what the recipe's
         orthogonalizer makes of random numbers; element-wise: 1

Updates remember each other as long as the momentum does, and no longer than there were any. All of it is linear, so it is run
for every step's number at once: a tensor of coefficients goes through decay, schedules and the program's own `average`. The
energies e are by role, fitted to small models (benchmarks/results.md): spreads are good to about a tenth. `walks_like` takes
the spreads of weights that there are instead.
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

    from pgolf.contracts.optimizer import Average
    from pgolf.runtime.program import Program
    from pgolf.runtime.records import Param

ENERGY = {"attn.c_q": 0.56, "attn.c_k": 0.77, "attn.c_v": 0.88, "attn.proj": 0.67, "mlp.fc": 0.74, "mlp.proj": 0.87}
"""Of updates of matrices by role, as a share of what the orthogonalizer makes of random numbers."""
OTHER_ENERGY = 0.75
ELEMENT_ENERGY = 0.03
SPREAD_ERROR = 0.1
"""How far spreads are off, about, as a share."""
CORRELATION = 0.9
"""Of neighbouring inputs of a matrix in `like_inputs`: fitted so that error feedback spreads codes as on real inputs."""
COLUMNS = {"attn.c_q": 0.06, "attn.c_k": 0.35, "attn.c_v": 0.35, "attn.proj": 0.02, "mlp.fc": 0.04, "mlp.proj": 0.27}
COLUMNS |= {"tok_emb.weight": 0.12}
"""Role -> variance of the logarithm of a column's energy in what training adds; inputs are not equally large."""
COMMON = {"tok_emb.weight": 0.075}
"""Role -> share of the energy of what training adds that all rows have alike."""
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


class Kind(NamedTuple):
    """What tensors have in common that walk alike, but for the size of their updates.

    Attributes:
        lr, decay: learning rate and weight decay of their group.
        memory: correlation of an update with the one before; None takes the momentum of the step.
        averaged: do they take part in the average?
    """

    lr: float
    decay: float
    memory: float | None
    averaged: bool


def unit_walks(average: Average, kinds: Sequence[Kind], scalars: Sequence[Scalars]) -> list[Walk]:
    """The walks of tensors of these kinds whose updates have size one.

    Coefficients: the first is of the start, the others are of each step's own random number.
    """
    weights = [torch.zeros(len(scalars) + 1) for _ in kinds]
    updates = [torch.zeros_like(weight) for weight in weights]
    for weight in weights:
        weight[0] = 1.0
    averaged = [weight for weight, kind in zip(weights, kinds, strict=True) if kind.averaged]
    if averaged:
        average.start(averaged, [("",)] * len(averaged))
    for step, now in enumerate(scalars):
        for weight, update, kind in zip(weights, updates, kinds, strict=True):
            memory = (now.momentum if kind.memory is None else kind.memory) if step else 0.0
            rate = kind.lr * now.lr_mul
            update.mul_(memory)[step + 1] = math.sqrt(1 - memory * memory)
            weight.mul_(1 - rate * kind.decay * now.weight_decay_mul).add_(update, alpha=rate)
        if averaged:
            average.update(averaged, step + 1, now)
    if averaged:
        average.apply(averaged, Ledger())
    return [Walk(weight[0].item(), weight[1:].norm().item()) for weight in weights]


def orthogonal_energy(program: Program, values: Mapping[str, Any]) -> float:
    """Mean square of the singular values that the orthogonalizer makes of a square matrix of random numbers: .8 to 1."""
    x = torch.randn(128, 128, generator=keyed_generator(SEED, "orthogonal"))
    found = program.orthogonalizer(x, ("",), values.get("muon_backend_steps", 5)).float()
    return found.square().sum().item() / len(x)


def update_size(role: str, record: Param, energy: float) -> float:
    """Root mean square of an update before its learning rate; `energy` as from `orthogonal_energy`."""
    shape = record.shape[1:] if record.members else record.shape
    if record.group != "matrix" or len(shape) != 2:
        return math.sqrt(ELEMENT_ENERGY)
    square: float = max(1.0, shape[0] / shape[1]) / max(shape)
    return math.sqrt(energy * ENERGY.get(role, OTHER_ENERGY) * square)


def expected_walks(
    program: Program, parameters: Sequence[Param], values: Mapping[str, Any], steps: int, cap_ms: float
) -> dict[str, Walk]:
    """Role -> what `steps` steps do to it; `values` are the recipe's settings."""
    scalars = list(schedule(program, steps, cap_ms))
    groups = {group.name: (group.lr, group.weight_decay) for group in program.groups}
    groups["matrix"] = values.get("matrix_lr", 0.0), values.get("muon_wd", 0.0)
    records = {role_of(name): record for name, _, record in reversed(canonical_tensors(parameters))}
    kinds = {
        role: Kind(
            *groups[record.group], None if record.group == "matrix" else values.get("beta1", 0.9), record.average
        )
        for role, record in records.items()
    }
    different = [*dict.fromkeys(kinds.values())]
    walks = dict(zip(different, unit_walks(program.average, different, scalars), strict=True))
    energy = orthogonal_energy(program, values)
    sizes = {role: update_size(role, record, energy) for role, record in records.items()}
    return {role: Walk(walks[kind].kept, walks[kind].noise * sizes[role]) for role, kind in kinds.items()}


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
    added = torch.randn(start.shape, generator=keyed_generator(SEED, "walk of " + name))
    role = role_of(name)
    if role in COLUMNS:
        added = uneven(added, COLUMNS[role], COMMON.get(role, 0.0), keyed_generator(SEED, "columns of " + name))
    return start * walk.kept + added * walk.noise


def uneven(matrix: Tensor, spread: float, common: float, generator: torch.Generator) -> Tensor:
    """`matrix` with columns of unlike energies, and a share of it the same in all rows; its mean energy stays."""
    drawn = torch.randn(2, matrix.shape[1], generator=generator)
    scale = (drawn[0] * math.sqrt(spread) / 2).exp()
    uneven_part = matrix * scale / scale.square().mean().sqrt()
    return uneven_part * math.sqrt(1 - common) + drawn[1] * math.sqrt(common)


def like_inputs(columns: int) -> Tensor:
    """A Hessian as of inputs whose neighbours go together: H_ij = CORRELATION^|i-j|."""
    places = torch.arange(columns)
    return torch.full((), CORRELATION).pow((places[:, None] - places).abs().float())
