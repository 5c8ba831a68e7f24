"""Low-rank adapters, one for each row of a batch, at sites of the one forward.

    delta(x) = scale * (x A^T) B^T,   A (rows, r, in) uniform in +-1/sqrt(in),   B (rows, out, r) = 0 at first

A site is the role of a matrix, with that matrix's input and output, or a branch ("attn", "mlp") from its normed input to its
output. Each step of the layer plan has factors of its own; the head has one pair.

Source: openai/parameter-golf record LoRA_TTT, PR #1530 and PR #1767.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from typing import Any

    from torch import Generator, Tensor

    from pgolf.runtime.model import GPT


class Lora:
    """Factors in float32, used in the dtype of the activation.

    Args:
        steps: steps of the layer plan.
        rows: rows of every batch.
        scale: factor on the product.
    """

    def __init__(self, model: GPT, sites: tuple[str, ...], steps: int, rows: int, rank: int, scale: float):
        self.sites = frozenset(sites)
        self.scale = scale
        self.down: dict[tuple[str, int], torch.Tensor] = {}
        self.up: dict[tuple[str, int], torch.Tensor] = {}
        device: Any = model.get_parameter("tok_emb.weight").device
        for site in sites:
            out, width = site_shape(model, site)
            for position in range(1 if site == "head" else steps):
                self.down[site, position] = torch.zeros(rows, rank, width, device=device, requires_grad=True)
                self.up[site, position] = torch.zeros(rows, out, rank, device=device, requires_grad=True)

    def delta(self, x: Tensor, site: str, position: int) -> Tensor:
        """(rows, T, in) -> (rows, T, out)."""
        down, up = self.down[site, position], self.up[site, position]
        return x @ down.mT.to(x.dtype) @ up.mT.to(x.dtype) * self.scale

    def factors(self) -> list[Tensor]:
        """Every A, then every B."""
        return [*self.down.values(), *self.up.values()]

    @torch.no_grad()
    def reset(self, generator: Generator | None = None) -> None:
        """Zero every B; with a generator, on the factors' device, draw every A anew."""
        for up in self.up.values():
            up.zero_()
        if generator is not None:
            for down in self.down.values():
                bound = down.size(2) ** -0.5
                down.uniform_(-bound, bound, generator=generator)


def site_shape(model: GPT, site: str) -> tuple[int, int]:
    """(out, in) of a site."""
    settings = model.settings
    width = settings.model_dim
    if site == "head":
        return settings.vocab_size, model.get_parameter("tok_emb.weight").shape[1]
    if site in ("attn.c_k", "attn.c_v"):
        return width // settings.num_heads * settings.num_kv_heads, width
    if site in ("attn", "attn.c_q", "attn.proj", "mlp"):
        return width, width
    out, width = model.matrices()[f"blocks.0.{site}.weight"].shape
    return out, width
