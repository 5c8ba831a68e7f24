"""The MLP of leaky_relu2 with the activation in the epilogue of a product, forward and backward: no tile is read again.

    P = X Wf^T, A = phi(P) in one kernel;   Y = A Wp^T            phi(p) = p^2 for p > 0 and (slope * p)^2 otherwise
    dP = (G Wp) * phi'(P) in one kernel;    dX = dP Wf, dWf = dP^T X, dWp = G^T A
Training uses the kernel on a GPU with Triton; scoring, calibration, adapters and the CPU use plain PyTorch.
Source: openai/parameter-golf PR #1530, PR #1855.
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
try:
    from triton.tools.tensor_descriptor import TensorDescriptor
except ImportError:
    TensorDescriptor = None

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
    effect="speed: forward and backward of the MLP 3 % faster than compiled leaky_relu2 on an H200",
    settings=(Setting("negative_slope", 0.5, "slope of the leaky ReLU on the left"),),
    hardware="sm_90 with Triton; elsewhere plain PyTorch runs",
)
if triton is not None:

    @triton.jit
    def mlp_kernel(a, b, p, c, M, N, K, slope, BY: tl.constexpr, FWD: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr):
        columns = tl.cdiv(N, BN)
        for tile in tl.range(tl.program_id(0), tl.cdiv(M, BM) * columns, BY, flatten=True):
            m, n = tile // columns * BM, tile % columns * BN
            total = tl.zeros((BM, BN), tl.float32)
            for k in range(0, K, 64):
                total = tl.dot(a.load([m, k]), b.load([n, k]).T if FWD else b.load([k, n]), total)
            halves = tl.split(tl.permute(tl.reshape(total, (BM, 2, BN // 2)), (0, 2, 1)))
            for half in tl.static_range(2):
                at, part = n + half * (BN // 2), halves[half]
                if FWD:
                    kept = part.to(p.dtype)
                    p.store([m, at], kept)
                    part = kept.to(tl.float32)
                    part *= tl.where(part > 0, part, slope * slope * part)
                else:
                    kept = p.load([m, at]).to(tl.float32)
                    part *= tl.where(kept > 0, 2 * kept, 2 * slope * slope * kept)
                c.store([m, at], part.to(c.dtype))


def run_kernel(a: Tensor, b: Tensor, p: Tensor, slope: float, forward: bool) -> Tensor:
    """Forward writes p = a b^T and gives phi(p); backward reads p and gives (a b) phi'(p)."""
    out = torch.empty_like(p)
    step = torch.cuda.get_device_properties(a.device).multi_processor_count
    blocks = ([128, 64], [256, 64] if forward else [64, 256], [128, 128], [128, 128])
    given = map(TensorDescriptor.from_tensor, (a.contiguous(), b.contiguous(), p, out), blocks)
    sizes = {"BY": step, "FWD": forward, "BM": 128, "BN": 256, "num_warps": 8, "num_stages": 3}
    mlp_kernel[(step,)](*given, p.size(0), p.size(1), a.size(1), slope, **sizes)
    return out


@torch.library.custom_op("fused_mlp::forward", mutates_args=())
def fused_mlp(x: Tensor, fc: Tensor, proj: Tensor, slope: float) -> tuple[Tensor, Tensor, Tensor]:
    """x (N,D), fc (m,D), proj (D,m) -> Y (N,D) and, for the backward pass, P and A (N,m); D and m are multiples of 64."""
    p = x.new_empty(x.size(0), fc.size(0))
    a = run_kernel(x, fc, p, slope, True)
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
        self.slope = slope
        self.fused = False

    def prepare(self, session: Session) -> str:
        """Where the kernel can run, compile it and try it at the run's sizes."""
        fc, proj = (session.model.matrices()[f"blocks.0.mlp.{w}.weight"].detach().bfloat16() for w in ("fc", "proj"))
        hopper = session.world.device.type == "cuda" and torch.cuda.get_device_capability() >= (9, 0)
        if not hopper or TensorDescriptor is None or fc.size(0) % 64 or fc.size(1) % 64:
            return "plain PyTorch: the kernel needs sm_90, Triton, and widths that are multiples of 64"
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
        fc, proj = (model.tapped_matrix(role, layer, position, ctx).to(n_BTD.dtype) for role in ("mlp.fc", "mlp.proj"))
        return torch.reshape(fused_mlp(n_BTD.flatten(0, 1), fc, proj, self.slope)[0], n_BTD.shape)


@hookimpl
def mlp(settings: SettingsView) -> Component:
    """Squared leaky ReLU."""
    return Component(FusedMlp, slope=settings.negative_slope)
