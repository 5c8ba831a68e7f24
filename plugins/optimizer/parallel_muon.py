"""Parallel Muon: Muon on banks of stacked matrices, sharded over ranks.

For each bank, largest first: the gradient is cast to bfloat16, padded with zeros to a multiple of the world size and
reduce-scattered, so that a rank holds the mean of its share of the matrices and their bfloat16 momentum only.

    M <- mu M + G     U = orthogonalise(G + mu M), batched     all-gather U     W <- W - lr sqrt(max(1, rows / cols)) U

The reduce-scatter overlaps with the other gradients' reduction and Adam; the gather of one bank with the next bank's
update. One rank runs the same path. On a GPU the sum travels in bfloat16, on a CPU in float32.
Unlike the public scripts, the momentum starts at zero again after the compile warm-up.

Source: openai/parameter-golf#399, #549: 85 -> 83.3 ms per step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.distributed import finish, gradient_of, start_all_gather, start_reduce_scatter
from pgolf.runtime.optimize import apply_update, aspect_scale, count_blocks, nesterov_update, orthogonalize

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.optimizer import Names
    from pgolf.runtime.distributed import World
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.program import Program
    from pgolf.runtime.progress import Scalars
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="parallel_muon",
    summary="Muon on parameter banks, each rank updating its share.",
    source="openai/parameter-golf#399, #549",
    family="optimizer",
    effect="no change of the loss; 85 -> 83.3 ms per step (#549)",
    settings=(
        Setting("matrix_lr", 0.04, "learning rate of the matrices", minimum=0.0),
        Setting("muon_backend_steps", 5, "iterations of the orthogonalizer", minimum=1),
    ),
)


class MuonBank(NamedTuple):
    """One bank (n, rows, cols) with its buffers: N = n padded, S = N / world size; (N|S, rows, cols) each.

    `names` has a name for each of the n members, `owned` one for each of the S slots of this rank, "" for padding.
    """

    weight: Tensor
    names: Names
    owned: Names
    full: Tensor
    shard: Tensor
    momentum: Tensor
    gathered: Tensor


class ParallelMuon:
    """Matrix optimizer that reduces its own gradients; a lone matrix counts as a bank of one."""

    def __init__(self, lr: float, backend_steps: int) -> None:
        self.lr = lr
        self.backend_steps = backend_steps

    def bind(self, tensors: Sequence[Tensor], names: Sequence[Names], program: Program, world: World) -> None:
        """Start with zero momentum; the largest bank comes first."""
        self.program = program
        self.world = world
        self.blocks = count_blocks(program, tensors, names) if program.row_blocks is not None else {}
        self.banks: list[MuonBank] = []
        wire = torch.bfloat16 if world.device.type == "cuda" else torch.float32
        for weight, held in sorted(zip(tensors, names, strict=True), key=lambda pair: -pair[0].numel()):
            *_, rows, columns = weight.shape
            share = -(-len(held) // world.world_size)
            owned = (*held, *[""] * share * world.world_size)[share * world.rank :][:share]
            shapes = [(size, rows, columns) for size in (share * world.world_size, share)]
            full, shard = [torch.zeros(shape, dtype=wire, device=world.device) for shape in shapes]
            gathered, momentum = [torch.zeros(shape, dtype=torch.bfloat16, device=world.device) for shape in shapes]
            self.banks.append(MuonBank(weight, held, owned, full, shard, momentum, gathered))

    def launch(self) -> None:
        """Start the reduction of every bank's gradient."""
        self.pending: list[Any] = []
        for bank in self.banks:
            gradient = gradient_of(bank.weight).bfloat16()
            bank.full.flatten()[: gradient.numel()].copy_(gradient.flatten())
            self.pending.append(start_reduce_scatter(bank.shard, bank.full, self.world))

    def shares(self) -> dict[Tensor, tuple[Tensor, Names]]:
        """Wait for every reduction, and divide the sums, which `step` then does not."""
        for handle in self.pending:
            finish(handle)
        return {bank.weight: (bank.shard.div_(self.world.world_size), bank.owned) for bank in self.banks}

    def step(self, scalars: Scalars, ledger: Ledger) -> None:
        """Update every bank, each one applied while the next is orthogonalised."""
        ready: list[tuple[MuonBank, Any, torch.Tensor]] = []
        for bank, handle in zip(self.banks, self.pending, strict=True):
            finish(handle)
            divisor = 1 if self.program.mean_gradient_taps else self.world.world_size
            gradient = (bank.shard / divisor).bfloat16()
            update = nesterov_update(gradient, bank.momentum, scalars.momentum)
            for tap in self.program.update_taps:
                update = tap(update, bank.owned, ledger)
            update = orthogonalize(self.program, update, bank.owned, self.backend_steps, self.blocks, ledger)
            ready.append((bank, start_all_gather(bank.gathered, update, self.world), update))
            if len(ready) > 1:
                self.apply(*ready.pop(0), scalars, ledger)
        for waiting in ready:
            self.apply(*waiting, scalars, ledger)

    def apply(self, bank: MuonBank, handle: Any, update: Tensor, scalars: Scalars, ledger: Ledger) -> None:
        """Apply a gathered update; `update` is kept alive until the gather has read it."""
        finish(handle)
        weight = bank.weight
        step = bank.gathered.flatten()[: weight.numel()].view_as(weight)
        apply_update(self.program, weight, step, bank.names, self.lr, aspect_scale(weight), scalars, ledger)
        ledger.count("parallel_muon", "bank updates")
        ledger.count(self.program.orthogonalizer.name, "matrices", bank.gathered.size(0))


@hookimpl
def matrix_optimizer(settings: SettingsView) -> Component:
    """Matrices are Parallel Muon's."""
    return Component(ParallelMuon, lr=settings.matrix_lr, backend_steps=settings.muon_backend_steps)
