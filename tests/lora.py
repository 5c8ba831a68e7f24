"""A plain LoRA adapter for tests: delta = x A^T B^T at chosen matrices and branches, per step of the layer plan."""

import torch

MATRICES = ("attn.c_q", "attn.c_k", "attn.c_v", "attn.proj", "mlp.fc", "mlp.proj", "head")
BRANCHES = ("attn", "mlp")


class Lora:
    """Factors A (r, in) and B (out, r) for every (site, position); B zero or random."""

    def __init__(self, model, plan, rank, zero, sites=MATRICES + BRANCHES):
        generator = torch.Generator().manual_seed(7)
        self.sites = frozenset(sites)
        self.factors = {}
        weights, dim = model.matrices(), model.settings.model_dim
        encoder, decoder = plan
        for position, layer in enumerate((*encoder, *decoder)):
            for site in sites:
                if site in BRANCHES:
                    self.add(site, position, (dim, dim), rank, zero, generator)
                elif site != "head":
                    self.add(site, position, weights[f"blocks.{layer}.{site}.weight"].shape, rank, zero, generator)
        if "head" in sites:
            head = model.lm_head if hasattr(model, "lm_head") else model.tok_emb
            self.add("head", 0, head.weight.shape, rank, zero, generator)

    def add(self, site, position, shape, rank, zero, generator):
        out, width = shape
        a = torch.randn(rank, width, generator=generator) / width**0.5
        b = torch.zeros(out, rank) if zero else torch.randn(out, rank, generator=generator) * 0.05
        self.factors[site, position] = (a, b)

    def delta(self, x, site, position):
        a, b = self.factors[site, position]
        return x @ a.T @ b.T

    def product(self, site, position):
        """What merging adds to the matrix."""
        a, b = self.factors[site, position]
        return b @ a
