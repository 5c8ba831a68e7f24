"""Newton-Schulz on the small Gram matrix: fewer operations for matrices that are far from square.

    R = X X^T, Q = I;  each step:  Z = b R + c R^2,  Q <- a Q + Q Z,  R <- (a + Z) R (a + Z);   X <- Q X at the end

In exact arithmetic the same as `newton_schulz`. bfloat16 errors grow in R, so before the third step Q is applied to X and R
is made anew. Square matrices take the plain iteration, which is cheaper there.

Source: a fork of openai/parameter-golf, train_gpt_gram_ns.py, after Dao AI Lab's Gram Newton-Schulz.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.optimize import CompiledOrthogonalizer

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="gram_newton_schulz",
    summary="Newton-Schulz iteration on the smaller Gram matrix.",
    source="fork of openai/parameter-golf, train_gpt_gram_ns.py",
    family="optimizer",
    effect="slower: 96.9 against 83.3 ms per step at 512 x 1536 on eight H100 (the fork's log)",
)

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
RESTART = 2


def iterate_gram(x: Tensor, steps: int) -> Tensor:
    """The iteration in the dtype of `x`, (rows, columns) or (batch, rows, columns)."""
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    x = iterate_square(x, steps) if x.shape[-2] == x.shape[-1] else iterate_wide(x, steps)
    return x.mT if tall else x


def iterate_square(x: Tensor, steps: int) -> Tensor:
    """The plain iteration."""
    a, b, c = COEFFICIENTS
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x


def iterate_wide(x: Tensor, steps: int) -> Tensor:
    """All steps on R = X X^T, (rows, rows); Q collects what X is to be multiplied by."""
    a, b, c = COEFFICIENTS
    gram = x @ x.mT
    q = torch.eye(x.shape[-2], dtype=x.dtype, device=x.device)
    fresh = True
    for step in range(steps):
        if step == RESTART:
            x = q @ x
            gram, fresh = x @ x.mT, True
        z = b * gram + c * (gram @ gram)
        q = torch.diagonal_scatter(z, z.diagonal(dim1=-2, dim2=-1) + a, dim1=-2, dim2=-1) if fresh else a * q + q @ z
        fresh = False
        if step + 1 not in (RESTART, steps):
            product = a * gram + gram @ z
            gram = a * product + z @ product
    return q @ x


@hookimpl
def orthogonalizer(settings: SettingsView) -> Component:
    """Same coefficients as `newton_schulz`."""
    return Component(CompiledOrthogonalizer, name="gram_newton_schulz", iterate=Component(iterate_gram))
