"""Quantization-aware training: the matrices of the layers are used as the exporter will store them, straight through.

    W_fwd = W + stopgrad(Q(W) - W)      Q: the recipe that the exporter has for the class of W, decoded again

On for the whole training, or from the step at which the learning-rate multiplier falls below `late_qat_threshold`; never in
scoring. The switch is a phase, with compiled code of its own. (A flag that compiled code had folded away is why late QAT never
began in the public scripts, #315.) Q is the exporter's own recipe, so training cannot prepare for another grid: bits,
floor, clip, codes that are multiples of something, and the precision of the step are those of the artifact. (Several public
scripts trained on a finer grid than they exported.) What needs statistics of inputs is left out: codes are the nearest ones.

Source: openai/parameter-golf, records 2026-03-19_MLP3x_QAT_Int6_SlidingWindow and 2026-03-19_MixedQuant (QAT_ENABLED); late in
#315, #414, #549 (LATE_QAT_THRESHOLD 0.1 and 0.15).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Phase, Plugin, Setting, hookimpl
from pgolf.runtime.quantize import fake_quantize, nearest_codes

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.quantizer import TensorRecipe
    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.runtime.progress import Progress
    from pgolf.settings import SettingsView

LOOPS = ("depth_recurrence", "layer_loop", "progressive_loop")
PLUGIN = Plugin(
    name="qat",
    summary="Fake quantization of every layer matrix in training, or late in it, on the exporter's grid.",
    source="openai/parameter-golf, records 2026-03-19_MLP3x_QAT_Int6_SlidingWindow, 2026-03-19_MixedQuant; #315, #414",
    family="quantizer",
    effect="quantization gap about .002 to .005 BPB; nothing left of it under gptq (#1218); 3 % to 28 % slower steps",
    conflicts=(
        Conflict("bank_qat", "both fake-quantize the matrices of the layers"),
        Conflict("ema", "the average mixes in weights from before: 1.109-1.119 against 1.100 BPB (fork)", hard=False),
        *(Conflict(loop, "one more variant to compile for each loop (fork)", hard=False) for loop in LOOPS),
    ),
    settings=(
        Setting(
            "late_qat_threshold", 0.0, "learning-rate multiplier below which it is on; 0 for all of training", minimum=0
        ),
    ),
)


def quantize_in_training(
    model: GPT,
    weight: Tensor,
    role: str,
    layer: int,
    position: int,
    ctx: Context,
    recipes: dict[str, TensorRecipe],
    kept: tuple[str, ...],
    late: bool,
) -> Tensor:
    """A (rows, columns) matrix of a layer on the exporter's grid, unless its name holds one of `kept`."""
    name, quant = f"blocks.{layer}.{role}.weight", role.split(".")[0]
    if quant not in recipes or not ctx.training or any(pattern in name for pattern in kept):
        return weight
    if late and "qat" not in ctx.phases:
        return weight
    ctx.fired("qat", "matrices")
    return fake_quantize(recipes[quant], name, weight)


def qat_starts(progress: Progress, threshold: float) -> bool:
    """Has the warm-down come far enough?"""
    return progress.lr_mul < threshold


def without_statistics(recipe: Component) -> Component:
    """The same recipe, or its form for training, with the nearest codes and without clip taps."""
    recipe = recipe.arguments.get("inner", recipe)
    plain = {"rounding": Component(nearest_codes), "taps": ()}
    target = getattr(recipe.target, "in_training", recipe.target)
    return Component(target, **{key: plain.get(key, value) for key, value in recipe.arguments.items()})


@hookimpl
def weight_taps(settings: SettingsView, tensor_recipes: dict[str, Component]) -> Component:
    """After any mixing of matrices."""
    patterns = settings.as_dict().get("fp16_keep_name_patterns", "").split(",")
    kept = tuple(part.strip() for part in patterns if part.strip())
    recipes = {quant: without_statistics(tensor_recipes[quant]) for quant in ("attn", "mlp")}
    return Component(quantize_in_training, recipes=recipes, kept=kept, late=settings.late_qat_threshold > 0)


@hookimpl
def phases(settings: SettingsView) -> list[Phase]:
    """Scoring and calibration see the plain weights."""
    start = Component(qat_starts, threshold=settings.late_qat_threshold)
    return [Phase(name="qat", start=start, scoring=False)] if settings.late_qat_threshold > 0 else []
