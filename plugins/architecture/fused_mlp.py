"""The MLP of leaky_relu2 with the activation in the epilogue of a product, forward and backward: no tile is read again.

    P = X Wf^T, A = phi(P) in one kernel;   Y = A Wp^T            phi(p) = p^2 for p > 0 and (slope * p)^2 otherwise
    dP = (G Wp) * phi'(P) in one kernel;    dX = dP Wf, dWf = dP^T X, dWp = G^T A

Training uses the kernel on a GPU with Triton. Scoring, calibration and adapters, which see what is between the two products,
use plain PyTorch, and so does everything on a CPU; the log says which.

Source: openai/parameter-golf PR #1530, PR #1855 (with TMA there).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from pgolf import Component, Plugin, Setting, hookimpl

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = tl = None

if TYPE_CHECKING:
    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="fused_mlp",
    summary="MLP with squared leaky ReLU in the epilogues of a Triton kernel.",
    source="openai/parameter-golf#1530",
    family="architecture",
    effect="speed: 3 to 5 % slower than compiled leaky_relu2 on an H200; with TMA (PR #1530) 3 % of a step faster",
    settings=(Setting("negative_slope", 0.5, "slope of the leaky ReLU on the left"),),
    hardware="a GPU with bfloat16 tensor cores, and Triton; elsewhere plain PyTorch runs",
)
TILES = ((128, 256, 8, 3), (128, 256, 8, 4), (256, 128, 8, 3), (128, 128, 4, 4), (128, 128, 8, 3))  # and warps, stages

if triton is not None:

    @triton.autotune([triton.Config({"BM": m, "BN": n}, w, s) for m, n, w, s in TILES], ["M", "N", "K", "FORWARD"])
    @triton.jit
    def mlp_kernel(a, b, p, out, M, N, K, bk, bn, slope, FORWARD: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr):
        columns = tl.cdiv(N, BN)
        m = (tl.program_id(0) // columns * BM + tl.arange(0, BM)).to(tl.int64)
        n = tl.program_id(0) % columns * BN + tl.arange(0, BN)
        k = tl.arange(0, 64)
        # What is beyond the edges is read from the other side, and not stored.
        at_a = a + (m % M)[:, None] * K + k
        at_b = b + k[:, None] * bk + tl.max_contiguous(tl.multiple_of(n % N, 8), 8) * bn
        total = tl.zeros((BM, BN), tl.float32)
        for _ in range(0, K, 64):
            total = tl.dot(tl.load(at_a), tl.load(at_b), total)
            at_a, at_b = at_a + 64, at_b + 64 * bk
        at, inside = m[:, None] * N + n, (m < M)[:, None] & (n < N)
        if FORWARD:
            tl.store(p + at, total.to(p.dtype.element_ty), inside)
            total = total.to(p.dtype.element_ty).to(tl.float32)
            total *= tl.where(total > 0, total, slope * slope * total)
        else:
            kept = tl.load(p + at, inside, 0.0).to(tl.float32)
            total *= tl.where(kept > 0, 2 * kept, 2 * slope * slope * kept)
        tl.store(out + at, total.to(out.dtype.element_ty), inside)


def run_kernel(a: Tensor, b: Tensor, p: Tensor, slope: float, forward: bool) -> Tensor:
    """Of a (M,K) and b (K,N): forward writes p = a b and gives phi(p), backward reads p and gives (a b) phi'(p)."""
    (rows, inner), columns, out = a.shape, b.size(1), torch.empty_like(p)
    mlp_kernel[lambda tile: (triton.cdiv(rows, tile["BM"]) * triton.cdiv(columns, tile["BN"]),)](
        a.contiguous(), b, p, out, rows, columns, inner, *b.stride(), slope, FORWARD=forward
    )
    return out


@torch.library.custom_op("fused_mlp::forward", mutates_args=())
def fused_mlp(x: Tensor, fc: Tensor, proj: Tensor, slope: float) -> tuple[Tensor, Tensor, Tensor]:
    """x (N,D), fc (m,D), proj (D,m) -> Y (N,D) and, for the backward pass, P and A (N,m); D and m are multiples of 64."""
    p = x.new_empty(x.size(0), fc.size(0))
    a = run_kernel(x, fc.t(), p, slope, True)
    return F.linear(a, proj), p, a


@fused_mlp.register_fake
def fused_mlp_shapes(x, fc, proj, slope):
    return x.new_empty(x.size(0), proj.size(0)), *(x.new_empty(x.size(0), fc.size(0)) for _ in range(2))


@torch.library.custom_op("fused_mlp::backward", mutates_args=())
def hidden_gradient(g: Tensor, proj: Tensor, p: Tensor, slope: float) -> Tensor:
    """dP (N,m)."""
    return run_kernel(g, proj, p, slope, False)


@hidden_gradient.register_fake
def hidden_gradient_shape(g, proj, p, slope):
    return torch.empty_like(p)


def keep_for_backward(ctx, inputs, output):
    ctx.mark_non_differentiable(*output[1:])
    ctx.slope = inputs[3]
    ctx.save_for_backward(*inputs[:3], *output[1:])


def gradients(ctx, g, _g_p, _g_a):
    x, fc, proj, p, a = ctx.saved_tensors
    dp = hidden_gradient(g, proj, p, ctx.slope)
    return dp @ fc, dp.t() @ x, g.t() @ a, None


fused_mlp.register_autograd(gradients, setup_context=keep_for_backward)


class FusedMlp:
    """n_BTD -> x_BTD."""

    def __init__(self, slope: float):
        self.slope, self.fused = slope, False

    def prepare(self, session: Session) -> str:
        """Where the kernel can run, compile it and choose its tiles at the run's sizes."""
        fc, proj = (session.model.matrices()[f"blocks.0.mlp.{w}.weight"].detach().bfloat16() for w in ("fc", "proj"))
        if session.world.device.type != "cuda" or triton is None or fc.size(0) % 64 or fc.size(1) % 64:
            return "plain PyTorch: the kernel needs a GPU, Triton, and widths that are multiples of 64"
        x = fc.new_ones(session.settings.train_batch_tokens // 8, fc.size(1)).requires_grad_()
        fused_mlp(x, fc, proj, self.slope)[0].sum().backward()
        self.fused = True
        return "Triton kernel"

    def __call__(self, model: GPT, n_BTD: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
        ctx.fired("fused_mlp", "layers")
        between = ctx.observe is not None or ctx.adapter is not None or model.program.matrix_inputs
        if not self.fused or not ctx.training or between:
            p_BTm = model.project(n_BTD, "mlp.fc", layer, position, ctx)
            return model.project(F.leaky_relu(p_BTm, self.slope).square(), "mlp.proj", layer, position, ctx)
        fc, proj = (model.matrix(role, layer, position, ctx).to(n_BTD.dtype) for role in ("mlp.fc", "mlp.proj"))
        out: Tensor = fused_mlp(n_BTD.flatten(0, 1), fc, proj, self.slope)[0].view(n_BTD.shape)
        return out


@hookimpl
def mlp(settings: SettingsView) -> Component:
    """Squared leaky ReLU."""
    return Component(FusedMlp, slope=settings.negative_slope)
