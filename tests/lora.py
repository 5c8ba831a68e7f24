"""A plain LoRA adapter for tests: delta = x A^T B^T at chosen matrices and branches, per step of the layer plan."""

import torch

from pgolf.runtime.lora import site_shape

MATRICES = ("attn.c_q", "attn.c_k", "attn.c_v", "attn.proj", "mlp.fc", "mlp.proj", "head")
BRANCHES = ("attn", "mlp")


class Lora:
    """Factors A (r, in) and B (out, r) for every (site, position); B zero or random."""

    def __init__(self, model, plan, rank, zero, sites=MATRICES + BRANCHES):
        generator = torch.Generator().manual_seed(7)
        self.sites = frozenset(sites)
        self.factors = {}
        weights, dim = model.matrices(), model.settings.model_dim
        # A matrix that is stored in another form has its site all the same.
        for layer in {*plan[0], *plan[1]}:
            for site in ("attn.c_q", "attn.c_k", "attn.c_v", "attn.proj"):
                weights[f"blocks.{layer}.{site}.weight"] = torch.empty(site_shape(model, site))
        encoder, decoder = plan
        for position, layer in enumerate((*encoder, *decoder)):
            for site in sites:
                if site in BRANCHES:
                    self.add(site, position, (dim, dim), rank, zero, generator)
                elif f"blocks.{layer}.{site}.weight" in weights:
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
