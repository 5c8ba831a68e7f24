"""A plain LoRA adapter for tests: delta = scale * x A^T B^T at every matrix the model applies, per plan position."""

import torch

SITES = ("attn.c_q", "attn.c_k", "attn.c_v", "attn.proj", "mlp.fc", "mlp.proj", "head")


class Lora:
    """Factors A (r, in) and B (out, r) for every (role, position); B zero or random."""

    def __init__(self, model, plan, rank, zero):
        generator = torch.Generator().manual_seed(7)
        self.factors = {}
        weights = model.matrices()
        encoder, decoder = plan
        for position, layer in enumerate((*encoder, *decoder)):
            for role in SITES[:-1]:
                self.add(role, position, weights[f"blocks.{layer}.{role}.weight"].shape, rank, zero, generator)
        self.add("head", 0, model.tok_emb.weight.shape, rank, zero, generator)

    def add(self, role, position, shape, rank, zero, generator):
        out, width = shape
        a = torch.randn(rank, width, generator=generator) / width**0.5
        b = torch.zeros(out, rank) if zero else torch.randn(out, rank, generator=generator) * 0.05
        self.factors[role, position] = (a, b)

    def delta(self, x, role, position):
        a, b = self.factors[role, position]
        return x @ a.T @ b.T

    def product(self, role, position):
        """What merging adds to the matrix."""
        a, b = self.factors[role, position]
        return b @ a
