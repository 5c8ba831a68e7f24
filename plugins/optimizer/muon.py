"""Muon: momentum whose update is replaced by its nearest semi-orthogonal matrix.

    M <- mu M + G          U = orthogonalise(G + mu M)          W <- W - lr sqrt(max(1, rows / cols)) U

Momentum and Nesterov run in the gradient's float32. The orthogonalised update is bfloat16, and so is its product with
the aspect factor; it is cast to the weight's dtype when it is applied. Gradients arrive already averaged; matrix i is
orthogonalised by rank i mod world_size, and one bfloat16 sum over ranks shares all updates.

Source: the challenge's baseline script (after Keller Jordan's Muon), record "Naive Baseline".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.distributed import gradient_of, sum_over_ranks
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
    name="muon",
    summary="Orthogonalised momentum for every matrix, one rank per matrix.",
    source="openai/parameter-golf baseline train_gpt.py",
    family="optimizer",
    settings=(
        Setting("matrix_lr", 0.04, "learning rate of the matrices", minimum=0.0),
        Setting("muon_backend_steps", 5, "iterations of the orthogonalizer", minimum=1),
    ),
)


class Muon:
    """Matrix optimizer for separate matrices with replicated gradients: `pgolf.contracts.optimizer.MatrixOptimizer`."""

    def __init__(self, lr: float, backend_steps: int) -> None:
        self.lr = lr
        self.backend_steps = backend_steps

    def bind(self, tensors: Sequence[Tensor], names: Sequence[Names], program: Program, world: World) -> None:
        """Start with zero momentum."""
        self.tensors = tensors
        self.names = names
        self.program = program
        self.world = world
        self.blocks = count_blocks(program, tensors, names) if program.row_blocks is not None else {}
        self.buffers = [torch.zeros_like(tensor) for tensor in tensors]

    def launch(self) -> None:
        """Nothing to start: the gradients are averaged with all others."""

    def shares(self) -> dict[Tensor, tuple[Tensor, Names]]:
        """None: gradients are whole on every rank."""
        return {}

    def step(self, scalars: Scalars, ledger: Ledger) -> None:
        """One update of every matrix."""
        sizes = [tensor.numel() for tensor in self.tensors]
        packed = torch.zeros(sum(sizes), dtype=torch.bfloat16, device=self.world.device)
        parts = packed.split(sizes)
        for index in range(self.world.rank, len(self.tensors), self.world.world_size):
            tensor, names = self.tensors[index], self.names[index]
            update = nesterov_update(gradient_of(tensor), self.buffers[index], scalars.momentum)
            for tap in self.program.update_taps:
                update = tap(update, names, ledger)
            update = orthogonalize(self.program, update, names, self.backend_steps, self.blocks, ledger) * aspect_scale(
                tensor
            )
            parts[index].copy_(update.flatten())
        sum_over_ranks(packed, self.world)
        for tensor, names, part in zip(self.tensors, self.names, parts, strict=True):
            apply_update(self.program, tensor, part.view_as(tensor), names, self.lr, 1.0, scalars, ledger)
        ledger.count("muon", "matrix updates", len(self.tensors))
        ledger.count(self.program.orthogonalizer.name, "matrices", len(self.tensors))


@hookimpl
def matrix_optimizer(settings: SettingsView) -> Component:
    """Matrices are Muon's."""
    return Component(Muon, lr=settings.matrix_lr, backend_steps=settings.muon_backend_steps)
