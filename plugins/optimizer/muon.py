"""Muon: momentum whose update is replaced by its nearest semi-orthogonal matrix.

    M <- mu M + G          U = orthogonalise(G + mu M)          W <- W - lr sqrt(max(1, rows / cols)) U

Momentum and Nesterov run in the gradient's float32. The orthogonalised update is bfloat16, and so is its product with
the aspect factor; it is cast to the weight's dtype when it is applied. Gradients arrive already averaged; matrix i is
orthogonalised by rank i mod world_size, and one bfloat16 sum over ranks shares all updates.

Source: the challenge's baseline script (after Keller Jordan's Muon), record "Naive Baseline".
"""

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.distributed import sum_over_ranks
from pgolf.runtime.optimize import aspect_scale, compile_on_gpu, nesterov_update

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
    """Matrix optimizer for separate matrices with replicated gradients; protocol in `pgolf.runtime.optimize`."""

    def __init__(self, lr, backend_steps):
        self.lr, self.backend_steps = lr, backend_steps

    def bind(self, tensors, program, world):
        """Take the matrices and start with zero momentum."""
        self.tensors, self.program, self.world = tensors, program, world
        self.orthogonalize = compile_on_gpu(program.orthogonalizer, world)
        self.buffers = [torch.zeros_like(tensor) for tensor in tensors]

    def launch(self):
        """Nothing to start: the gradients are averaged with all others."""

    def step(self, scalars, ledger):
        """One update of every matrix."""
        sizes = [tensor.numel() for tensor in self.tensors]
        packed = torch.zeros(sum(sizes), dtype=torch.bfloat16, device=self.world.device)
        parts = packed.split(sizes)
        for index in range(self.world.rank, len(self.tensors), self.world.world_size):
            tensor = self.tensors[index]
            update = nesterov_update(tensor.grad, self.buffers[index], scalars.momentum)
            for tap in self.program.update_taps:
                update = tap(update, ledger)
            update = self.orthogonalize(update, self.backend_steps) * aspect_scale(tensor)
            parts[index].copy_(update.flatten())
        sum_over_ranks(packed, self.world)
        lr = self.lr * scalars.lr_mul
        for tensor, part in zip(self.tensors, parts, strict=True):
            for tap in self.program.apply_taps:
                tap(tensor, lr, scalars, ledger)
            tensor.add_(part.view_as(tensor), alpha=-lr)
        ledger.count("muon", "matrix updates", len(self.tensors))
        ledger.count(self.program.orthogonalizer.name, "matrices", len(self.tensors))


@hookimpl
def matrix_optimizer(settings):
    """Matrices are Muon's."""
    return Component(Muon, lr=settings.matrix_lr, backend_steps=settings.muon_backend_steps)
