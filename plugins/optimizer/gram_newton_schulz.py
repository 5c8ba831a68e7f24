"""Newton-Schulz on the small Gram matrix: fewer operations for matrices that are far from square.

    R = X X^T, Q = I;  each step:  Z = b R + c R^2,  Q <- a Q + Q Z,  R <- (a + Z) R (a + Z);   X <- Q X at the end

In exact arithmetic the same as `newton_schulz`. bfloat16 errors grow in R, so before the third step Q is applied to X and R
is made anew. Square matrices take the plain iteration, which is cheaper there.

All products but those with X are symmetric, polynomials in R. With `gram_symmetric` a Triton kernel computes their tiles on
and below the diagonal alone, with scale and addend in the epilogue, and stores each twice; the CPU mirrors the plain form.

Source: a fork of openai/parameter-golf, train_gpt_gram_ns.py, after Dao AI Lab's Gram Newton-Schulz.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.optimize import CompiledOrthogonalizer

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = tl = None

if TYPE_CHECKING:
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="gram_newton_schulz",
    summary="Newton-Schulz iteration on the smaller Gram matrix.",
    source="fork of openai/parameter-golf, train_gpt_gram_ns.py",
    family="optimizer",
    effect="9 to 29 % slower than newton_schulz on banks of a record, by symmetric products 2.1 to 2.8 times as slow (H200)",
    settings=(Setting("gram_symmetric", False, "compute symmetric products by half, in a Triton kernel on GPUs"),),
)

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
RESTART = 2

if triton is not None:

    @triton.jit
    def symmetric_kernel(
        left, right, added, out, n, depth, alpha, beta, LB, LR, LK, RB, RK, RC, ADD: tl.constexpr, BLOCK: tl.constexpr
    ):
        row, column, matrix = tl.program_id(0), tl.program_id(1), tl.program_id(2).to(tl.int64)
        if column <= row:
            rows, columns = row * BLOCK + tl.arange(0, BLOCK), column * BLOCK + tl.arange(0, BLOCK)
            total = tl.zeros((BLOCK, BLOCK), tl.float32)
            for start in range(0, depth, 64):
                k = start + tl.arange(0, 64)
                one = left + matrix * LB + rows[:, None] * LR + k[None, :] * LK
                two = right + matrix * RB + k[:, None] * RK + columns[None, :] * RC
                one = tl.load(one, mask=(rows[:, None] < n) & (k[None, :] < depth), other=0.0)
                two = tl.load(two, mask=(columns[None, :] < n) & (k[:, None] < depth), other=0.0)
                total = tl.dot(one, two, total)
            inside, here = (
                (rows[:, None] < n) & (columns[None, :] < n),
                matrix * n * n + rows[:, None] * n + columns[None, :],
            )
            total = alpha * total
            if ADD:
                total += beta * tl.load(added + here, mask=inside, other=0.0).to(tl.float32)
            total = total.to(out.dtype.element_ty)
            tl.store(out + here, total, mask=inside)
            if column < row:
                there = matrix * n * n + columns[:, None] * n + rows[None, :]
                tl.store(out + there, tl.trans(total), mask=(columns[:, None] < n) & (rows[None, :] < n))


@torch.library.custom_op("gram_newton_schulz::symmetric_product", mutates_args=())
def symmetric_product(left: Tensor, right: Tensor, added: Tensor | None, alpha: float, beta: float) -> Tensor:
    """alpha left right + beta added where that is symmetric: (batch, n, k), (batch, k, n), and (batch, n, n) or None."""
    if triton is None or not left.is_cuda:
        half = plain_product(left, right, added, alpha, beta).tril()
        return half + half.tril(-1).mT
    batch, n, depth = left.shape
    out, added = left.new_empty(batch, n, n), None if added is None else added.contiguous()
    block = 128 if batch * n * n >= 2**21 else 64
    grid = (-(-n // block), -(-n // block), batch)
    given = (left, right, out if added is None else added, out, n, depth, alpha, beta, *left.stride(), *right.stride())
    symmetric_kernel[grid](*given, ADD=added is not None, BLOCK=block, num_warps=block // 16, num_stages=3)
    return out


@symmetric_product.register_fake
def symmetric_product_shape(left, right, added, alpha, beta):
    return left.new_empty(left.size(0), left.size(1), left.size(1))


def plain_product(left: Tensor, right: Tensor, added: Tensor | None, alpha: float, beta: float) -> Tensor:
    """The same in PyTorch, with and without a batch, and as symmetric as rounding leaves it."""
    product = alpha * (left @ right)
    return product if added is None else beta * added + product


def iterate_gram(x: Tensor, steps: int, symmetric: bool) -> Tensor:
    """The iteration in the dtype of `x`, (rows, columns) or (batch, rows, columns)."""
    if symmetric and x.ndim == 2:
        return iterate_gram(x[None], steps, symmetric)[0]
    multiply = symmetric_product if symmetric else plain_product
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    x = (iterate_square if x.shape[-2] == x.shape[-1] else iterate_wide)(x, steps, multiply)
    return x.mT if tall else x


def iterate_square(x: Tensor, steps: int, multiply: Callable[..., Tensor]) -> Tensor:
    """The plain iteration."""
    a, b, c = COEFFICIENTS
    for _ in range(steps):
        gram = multiply(x, x.mT, None, 1.0, 0.0)
        x = a * x + multiply(gram, gram, gram, c, b) @ x
    return x


def iterate_wide(x: Tensor, steps: int, multiply: Callable[..., Tensor]) -> Tensor:
    """All steps on R = X X^T, (rows, rows); Q collects what X is to be multiplied by."""
    a, b, c = COEFFICIENTS
    q = torch.eye(x.shape[-2], dtype=x.dtype, device=x.device)
    for step in range(steps):
        fresh = step in (0, RESTART)
        if fresh:
            x = q @ x if step else x
            gram = multiply(x, x.mT, None, 1.0, 0.0)
        z = multiply(gram, gram, gram, c, b)
        if fresh:
            q = torch.diagonal_scatter(z, z.diagonal(dim1=-2, dim2=-1) + a, dim1=-2, dim2=-1)
        else:
            q = multiply(q, z, q, 1.0, a)
        if step + 1 not in (RESTART, steps):
            product = multiply(gram, z, gram, 1.0, a)
            gram = multiply(z, product, product, 1.0, a)
    return q @ x


@hookimpl
def orthogonalizer(settings: SettingsView) -> Component:
    """Same coefficients as `newton_schulz`."""
    iterate = Component(iterate_gram, symmetric=settings.gram_symmetric)
    return Component(CompiledOrthogonalizer, name="gram_newton_schulz", iterate=iterate)
