"""Late fake quantization of the banked matrices, straight through.

    W_fwd = W + stopgrad(Q(W) - W)      Q: the int6 grid per row, in float32, cast to the dtype of W

On from the step at which the learning-rate multiplier falls below a threshold, for the six matrices of every layer,
while training only. The phase makes it a compiled variant of its own, so it cannot be folded away.

The fork computed Q with a float32 step; the int6 exporter rounds its step to float16 first. The default here is the
exporter's, because a grid that differs from the stored one trains for the wrong numbers; bank_qat_step="float32" gives
the fork's.

Source: the fork of openai/parameter-golf#1512 with bank QAT (train_gpt_swa.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Phase, Plugin, Setting, hookimpl
from pgolf.runtime.quantize import dequantize, int6_grid

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.runtime.progress import Progress
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="bank_qat",
    summary="int6 fake quantization of every layer matrix late in training.",
    source="openai/parameter-golf#1512 (fork)",
    family="quantizer",
    effect="no measurable change of the quantization gap (the fork's ablation); about 4 ms per step while on",
    requires=("banks", "int6|gptq_lite|clip_search"),
    conflicts=(
        Conflict("ema", "the average mixes in weights from before: 1.109-1.119 against 1.100 BPB (fork)", hard=False),
    ),
    settings=(
        Setting("late_qat_threshold", 0.15, "learning-rate multiplier below which it is on", minimum=0.0),
        Setting("bank_qat_step", "float16", "precision of the grid's step", choices=("float16", "float32")),
    ),
)


def fake_quantize(model: GPT, weight: Tensor, role: str, layer: int, position: int, ctx: Context, half: bool) -> Tensor:
    """A (rows, columns) slice on the int6 grid, with the gradient of the slice itself."""
    if not role.startswith(("attn.", "mlp.")) or not ctx.training or "bank_qat" not in ctx.phases:
        return weight
    ctx.fired("bank_qat", "matrices")
    codes, step = int6_grid(weight.detach().float(), half)
    return weight + (dequantize(codes, step, weight.dtype) - weight).detach()


def bank_qat_starts(progress: Progress, threshold: float) -> bool:
    """Has the warm-down come far enough?"""
    return progress.lr_mul < threshold


@hookimpl
def weight_taps(settings: SettingsView) -> Component:
    """After any mixing of matrices, before noise and cast."""
    return Component(fake_quantize, half=settings.bank_qat_step == "float16")


@hookimpl
def phases(settings: SettingsView) -> list[Phase]:
    """Scoring and calibration see the plain weights."""
    start = Component(bank_qat_starts, threshold=settings.late_qat_threshold)
    return [Phase(name="bank_qat", start=start, scoring=False)]
