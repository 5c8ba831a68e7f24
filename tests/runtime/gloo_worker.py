"""One of two processes: collectives and sharded optimizers on a gloo group; saves what it found to argv[1]."""

import sys
from functools import partial

import torch

from pgolf.runtime.distributed import max_over_ranks, mean_gradients, start_world, stop_world, sum_over_ranks
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.optimize import CompiledOrthogonalizer
from pgolf.runtime.progress import Scalars
from pgolf_plugins.optimizer.muon import Muon
from pgolf_plugins.optimizer.newton_schulz import iterate_newton_schulz
from pgolf_plugins.optimizer.parallel_muon import ParallelMuon


class Slots:
    """A program with the slots that matrix optimizers read."""

    orthogonalizer = CompiledOrthogonalizer("newton_schulz", partial(iterate_newton_schulz, scale_first=True))
    row_blocks = None
    matrix_rate = None
    orthogonal_taps = ()
    mean_gradient_taps = ()
    update_taps = ()
    apply_taps = ()


SHAPES = ((3,), (5, 7), (300, 200), (4, 4))
BANKS = ((3, 8, 4), (4, 6, 6))


def parameters(shapes):
    """Zero parameters; the second has dtype bfloat16 among the flat list."""
    dtypes = [torch.bfloat16 if shape == (5, 7) else torch.float32 for shape in shapes]
    return [torch.nn.Parameter(torch.zeros(s, dtype=d)) for s, d in zip(shapes, dtypes, strict=True)]


def gradients(tensors, rank, step):
    """Gradients of one rank; rank 1 has none for the last tensor of the flat list."""
    generator = torch.Generator().manual_seed(100 * rank + step)
    found = [torch.randn(tensor.shape, generator=generator).to(tensor.dtype) for tensor in tensors]
    return [None if rank == 1 and grad.shape == (4, 4) else grad for grad in found]


def set_gradients(tensors, values):
    """Fresh copies of `values` as gradients."""
    for tensor, value in zip(tensors, values, strict=True):
        tensor.grad = None if value is None else value.clone()


def train(optimizer, tensors, world, values):
    """Two steps; `values(step)` are this rank's gradients, `mean` says whether they must be averaged first."""
    names = [
        tuple(f"{index}.{slot}" for slot in range(len(t) if t.ndim == 3 else 1)) for index, t in enumerate(tensors)
    ]
    optimizer.bind(tensors, names, Slots, world)
    for step in range(2):
        set_gradients(tensors, values(step))
        optimizer.launch()
        if tensors[0].ndim == 2:
            mean_gradients(tensors, world)
        with torch.no_grad():
            optimizer.step(Scalars(1.0, 1.0, 0.9), Ledger())
    return [tensor.detach() for tensor in tensors]


def main(path):
    """Everything once, on this rank."""
    torch.set_num_threads(1)
    world = start_world()
    tensors = parameters(SHAPES)
    set_gradients(tensors, gradients(tensors, world.rank, 0))
    mean_gradients(tensors, world)
    banks, matrices = parameters(BANKS), parameters(((8, 4), (6, 6), (4, 8)))
    found = {
        "mean": [tensor.grad for tensor in tensors],
        "sum": sum_over_ranks(torch.tensor([1.0 + world.rank]), world),
        "max": (max_over_ranks(float(world.rank), world), max_over_ranks(2.5, world)),
        "banks": train(ParallelMuon(0.1, 5), banks, world, lambda step: gradients(banks, world.rank, step)),
        "matrices": train(Muon(0.1, 5), matrices, world, lambda step: gradients(matrices, world.rank, step)),
    }
    torch.save(found, path)
    stop_world(world)


if __name__ == "__main__":
    main(sys.argv[1])
