"""Cross-entropy of tanh-capped logits in one pass over the logits, forward and backward; nothing capped is ever stored.

    s = sigmoid(2z/C),  u = 2C s = C tanh(z/C) + C       the constant C does not change a softmax
    loss = logsumexp(u) - u[target]                      dz = g (softmax(u) - 1[target]) 4 s (1 - s)

Training uses kernels on a GPU with Triton, elsewhere plain PyTorch; the log says which. Scoring needs logits and caps them.

Source: openai/parameter-golf PR #1787 (FUSED_CE_ENABLED).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from pgolf import Component, Conflict, Plugin, Setting, hookimpl

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

OTHER_CAPS = ("asymmetric_logits", "poly_softcap", "sigmoid_rescale")
PLUGIN = Plugin(
    name="fused_cross_entropy",
    summary="Softcapped cross-entropy in a Triton kernel that stores no capped logits.",
    source="openai/parameter-golf#1787",
    family="architecture",
    effect="no change of the loss; -1 to -2 ms a step and one float32 copy of the logits less",
    replaces=("tanh_softcap",),
    conflicts=tuple(Conflict(name, "the kernel's cap is a tanh with nothing after it") for name in OTHER_CAPS),
    settings=(Setting("logit_softcap", 30.0, "logits stay within +- this", minimum=0),),
    hardware="a CUDA device with Triton; elsewhere plain PyTorch runs",
)
if triton is not None:

    @triton.jit
    def loss_kernel(out, z, targets, N, V, cap, BLOCK: tl.constexpr):
        row = tl.program_id(0).to(tl.int64)
        peak, total = -float("inf"), 0.0
        for start in range(0, V, BLOCK):
            at = start + tl.arange(0, BLOCK)
            s = tl.sigmoid(tl.load(z + row * V + at, at < V, 0).to(tl.float32) * (2 / cap))
            u = tl.where(at < V, 2 * cap * s, -float("inf"))
            higher = tl.maximum(peak, tl.max(u, 0))
            total = total * tl.exp(peak - higher) + tl.sum(tl.exp(u - higher), 0)
            peak = higher
        own = tl.load(z + row * V + tl.load(targets + row)).to(tl.float32)
        tl.store(out + row, peak + tl.log(total) - 2 * cap * tl.sigmoid(own * (2 / cap)))
        tl.store(out + N + row, peak + tl.log(total))

    @triton.jit
    def gradient_kernel(out, z, targets, found, g, N, V, cap, BLOCK: tl.constexpr):
        row = tl.program_id(0).to(tl.int64)
        normalizer, weight, target = tl.load(found + N + row), tl.load(g + row), tl.load(targets + row)
        for start in range(0, V, BLOCK):
            at = start + tl.arange(0, BLOCK)
            s = tl.sigmoid(tl.load(z + row * V + at, at < V, 0).to(tl.float32) * (2 / cap))
            slope = (tl.exp(2 * cap * s - normalizer) - tl.where(at == target, 1.0, 0.0)) * 4 * s * (1 - s)
            tl.store(out + row * V + at, (weight * slope).to(out.dtype.element_ty), at < V)


def room(z: Tensor, targets: Tensor, cap: float, found: Tensor | None, g: Tensor | None) -> Tensor:
    """What the operator fills."""
    kind = torch.promote_types(z.dtype, torch.float32)
    return torch.empty_like(z) if g is not None else z.new_empty(2, z.size(0), dtype=kind)


def run_kernel(out: Tensor, z: Tensor, targets: Tensor, cap: float, found: Tensor | None, g: Tensor | None) -> None:
    """A program for each row."""
    kernel, given = (loss_kernel, ()) if g is None else (gradient_kernel, (found, g))
    kernel[(z.size(0),)](out, z, targets, *given, z.size(0), z.size(1), cap, BLOCK=1024)


@torch.library.custom_op("fused_cross_entropy::run", mutates_args=())
def fused_loss(z: Tensor, targets: Tensor, cap: float, found: Tensor | None, g: Tensor | None) -> Tensor:
    """z (N,V), targets (N,): losses and normalizers, `found` (2,N); with these and the losses' gradient g (N,), dz (N,V)."""
    out = room(z, targets, cap, found, g)
    run_kernel(out, z, targets, cap, found, g)
    return out


def keep_for_backward(ctx, inputs, output):
    ctx.cap = inputs[2]
    ctx.save_for_backward(*inputs[:2], output)


def gradients(ctx, g):
    return fused_loss(*ctx.saved_tensors[:2], ctx.cap, ctx.saved_tensors[2], g[0].contiguous()), *[None] * 4


fused_loss.register_fake(room)
fused_loss.register_autograd(gradients, setup_context=keep_for_backward)


class FusedCrossEntropy:
    """A scalar for reduction "mean", (B,T) for "none"; raw logits in training, capped ones otherwise."""

    def __init__(self, cap: float):
        self.cap = cap
        self.fused = False

    def prepare(self, session: Session) -> str:
        """Where the kernels can run, compile them and try them at the run's sizes."""
        if session.world.device.type != "cuda" or triton is None:
            return "plain PyTorch: the kernel needs a CUDA device and Triton"
        sizes = session.settings.train_batch_tokens // 8, session.settings.vocab_size
        z = torch.zeros(*sizes, dtype=torch.bfloat16, device="cuda")
        fused_loss(z.requires_grad_(), z.new_zeros(len(z), dtype=torch.int64), self.cap, None, None)[0].sum().backward()
        self.fused = True
        return "Triton kernel"

    def __call__(self, model: GPT, logits_BTV: Tensor, targets_BT: Tensor, reduction: str, ctx: Context) -> Tensor:
        ctx.fired("fused_cross_entropy", "losses")
        z, targets = logits_BTV.flatten(0, 1), targets_BT.flatten()
        if ctx.training and self.fused:
            losses: Tensor = fused_loss(z.contiguous(), targets.contiguous(), self.cap, None, None)[0]
        else:
            u = 2 * self.cap * torch.sigmoid(z.float() * (2 / self.cap)) if ctx.training else z.float()
            losses = F.cross_entropy(u, targets, reduction="none")
        return losses.view(targets_BT.shape) if reduction == "none" else losses.mean()


def cap_scored_logits(model: GPT, logits_BTV: Tensor, ctx: Context, cap: float) -> Tensor:
    """logits_BTV -> logits_BTV; the loss caps those of training."""
    return logits_BTV if ctx.training else cap * torch.tanh(logits_BTV / cap)


@hookimpl
def logit_taps(settings: SettingsView) -> Component:
    """Scores have capped logits."""
    settings.require(settings.logit_softcap > 0, "logit_softcap", "more than 0")
    return Component(cap_scored_logits, cap=settings.logit_softcap)


@hookimpl
def loss(settings: SettingsView) -> Component:
    """The cap and the cross-entropy in one."""
    return Component(FusedCrossEntropy, cap=settings.logit_softcap)
