"""A clip for each matrix by trying five: no statistics of inputs, seconds of work.

    clip_i = quantile of |W_i| at .999, .9995, .9999, .99999 or 1, the same for all rows of a matrix
    step_i = float16(max(clip_i / R, floor))      q = clamp(round(W / step), -R, R)      R = 31
    kept: the first clip with the least mean squared error

With the floor of the public scripts, 1/31, rows whose largest weight is below one have the same step for every clip, so there
the search decides nothing: `quirk_step_floor`.

Source: openai/parameter-golf#414.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.quantize import KEPT_ELEMENTS, integer_codes, quantile_steps, restore_tensor, squared_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import Parts
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="gptq_lite",
    summary="int6 per row, with the best of five clips for each matrix.",
    source="openai/parameter-golf#414",
    family="quantizer",
    effect="-0.0006 BPB against the largest magnitude (claim of #414)",
    replaces=("int6",),
    settings=(
        Setting("gptq_lite_classes", "attn,mlp", "quantization classes it takes, separated by commas"),
        Setting("quirk_step_floor", False, "steps are at least 1/31, as in all exporters before #1394"),
    ),
)


class GptqLite:
    """Tensor recipe; tensors of at most 65,536 elements, and what is no matrix, are kept in float16."""

    name = "int6"

    def __init__(self, floor: float) -> None:
        self.floor = floor

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Parts:
        """Codes and steps of a large matrix, or another tensor as it is."""
        if tensor.numel() <= KEPT_ELEMENTS or tensor.ndim != 2:
            ledger.count("gptq_lite", "tensors kept")
            return {"kept": tensor.half()}
        ledger.count("gptq_lite", "tensors quantized")
        codes, step = search_clip(tensor.float(), self.floor)
        return {"codes": codes, "step": step}

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        return restore_tensor(parts, kind)


def search_clip(weight: Tensor, floor: float) -> tuple[Tensor, Tensor]:
    """int8 codes and float16 steps (rows,) of a float32 matrix."""
    steps = quantile_steps(weight, 31, floor)
    found = [integer_codes(weight, step.float(), 31) for step in steps]
    best = steps[0]
    codes = found[0]
    least_error = squared_error(weight, codes, best)
    # Tensors choose, so that the search can be compiled; the first of equal ones stays.
    for step, tried in zip(steps[1:], found[1:], strict=True):
        error = squared_error(weight, tried, step)
        better = error < least_error
        best = torch.where(better, step, best)
        codes = torch.where(better, tried, codes)
        least_error = torch.where(better, error, least_error)
    return codes, best


@hookimpl
def tensor_recipes(settings: SettingsView) -> dict[str, Component]:
    """The classes of `gptq_lite_classes`."""
    names = (name.strip() for name in settings.gptq_lite_classes.split(","))
    return {name: Component(GptqLite, floor=1 / 31 if settings.quirk_step_floor else 0.0) for name in names}
