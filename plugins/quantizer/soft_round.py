"""Soft rounding late in training: a rounding that has a gradient, and sharpens while it is on.

    v = W / s      soft(v) = floor(v) + sigmoid(alpha (v - floor(v) - 1/2))      W_fwd = s clamp(soft(v), -31, 31)
    s_i = max(max_j |W_ij| / 31, 1/31), the int6 exporter's

alpha goes from 1 to 16 in a straight line, over 500 steps from the one at which the learning-rate multiplier is below the
threshold. No gradient is made up: it flows through the sigmoid, the fraction and, above the floor, the step. alpha reaches
the forward as a tensor, so no value of it compiles anything.

The exporter rounds s to float16; soft_round_step="float32" leaves it as the public script has it.

Source: openai/parameter-golf#1204, where it acts on the few matrices outside the banks only; here on all of the layers'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Phase, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.runtime.progress import Progress
    from pgolf.settings import SettingsView

LOOPS = ("depth_recurrence", "layer_loop", "progressive_loop")
PLUGIN = Plugin(
    name="soft_round",
    summary="Differentiable rounding of every layer matrix to the int6 grid, sharper and sharper.",
    source="openai/parameter-golf#1204",
    family="quantizer",
    requires=("int6|gptq_lite|clip_search",),
    conflicts=(
        Conflict("bank_qat", "both fake-quantize the matrices of the layers"),
        Conflict("qat", "both fake-quantize the matrices of the layers"),
        Conflict("hadamard_rotation", "training would prepare for codes of matrices that are not rotated"),
        Conflict("ema", "the average mixes in weights from before: 1.109-1.119 against 1.100 BPB (fork)", hard=False),
        *(Conflict(loop, "one more variant to compile for each loop (fork)", hard=False) for loop in LOOPS),
    ),
    settings=(
        Setting("late_qat_threshold", 0.15, "learning-rate multiplier below which it is on", minimum=0.0),
        Setting("soft_round_min_step", 2000, "the first step at which it may begin", minimum=0),
        Setting("soft_round_alpha_start", 1.0, "sharpness when it begins", minimum=0.0),
        Setting("soft_round_alpha_end", 16.0, "sharpness once it has grown", minimum=0.0),
        Setting("soft_round_ramp_steps", 500, "steps from one to the other", minimum=1),
        Setting("soft_round_step", "float16", "precision of the grid's step", choices=("float16", "float32")),
    ),
)


def soft_quantize(weight: Tensor, alpha: Tensor, half: bool) -> Tensor:
    """A float32 matrix near the int6 grid of its rows; `alpha` is a scalar tensor."""
    step = (weight.abs().amax(1, keepdim=True) / 31).clamp_min(1 / 31)
    if half:
        step = step.half().float()
    value = weight / step
    below = value.floor()
    soft = below + (alpha * (value - below - 0.5)).sigmoid()
    return step * soft.clamp(-31, 31)


def soften(model: GPT, weight: Tensor, role: str, layer: int, position: int, ctx: Context, half: bool) -> Tensor:
    """A (rows, columns) matrix of a layer, while the phase is on and in training."""
    if not role.startswith(("attn.", "mlp.")) or not ctx.training or "soft_round" not in ctx.phases:
        return weight
    ctx.fired("soft_round", "matrices")
    return soft_quantize(weight.float(), ctx.fields["soft_round_alpha"], half).to(weight.dtype)


def soft_round_starts(progress: Progress, threshold: float, least: int) -> bool:
    """Has the warm-down come far enough, after enough steps?"""
    return progress.step >= least and progress.lr_mul < threshold


class Sharpness:
    """`pgolf.contracts.optimizer.ForwardScalar`; remembers the step at which it began."""

    def __init__(self, threshold: float, least: int, first: float, last: float, steps: int) -> None:
        self.threshold = threshold
        self.least = least
        self.first = first
        self.last = last
        self.steps = steps
        self.begun = -1

    def __call__(self, progress: Progress) -> float:
        """alpha of this step."""
        if self.begun < 0:
            if not soft_round_starts(progress, self.threshold, self.least):
                return self.first
            self.begun = progress.step
        done = min((progress.step - self.begun) / self.steps, 1.0)
        return self.first + (self.last - self.first) * done


@hookimpl
def weight_taps(settings: SettingsView) -> Component:
    """After any mixing of matrices."""
    return Component(soften, half=settings.soft_round_step == "float16")


@hookimpl
def phases(settings: SettingsView) -> list[Phase]:
    """Scoring and calibration see the plain weights."""
    start = Component(soft_round_starts, threshold=settings.late_qat_threshold, least=settings.soft_round_min_step)
    return [Phase(name="soft_round", start=start, scoring=False)]


@hookimpl
def forward_scalars(settings: SettingsView) -> dict[str, Component]:
    """The sharpness."""
    sharpness = Component(
        Sharpness,
        threshold=settings.late_qat_threshold,
        least=settings.soft_round_min_step,
        first=settings.soft_round_alpha_start,
        last=settings.soft_round_alpha_end,
        steps=settings.soft_round_ramp_steps,
    )
    return {"soft_round_alpha": sharpness}
