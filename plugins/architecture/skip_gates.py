"""U-net skips through a sigmoid gate per channel, half and half at the start.

    x <- s * x + (1 - s) * w_i * skip,   s = sigmoid(g_i),   g starts at zero, w at one

Rows belong to the decoder position, so their meaning changes when a loop switches on.

Source: openai/parameter-golf PR #1089; all records from PR #1204 on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.parameters import ones, zeros

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf import PlanFacts
    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="skip_gates",
    summary="Gated U-net skips.",
    source="openai/parameter-golf#1089",
    family="architecture",
)


def gated_skip(model: GPT, x: Tensor, skip: Tensor, index: int, ctx: Context) -> Tensor:
    """x_BTD with skip number `index` blended in."""
    ctx.fired("skip_gates", "skips")
    gate = torch.sigmoid(ctx.weights["skip_gates"][index]).to(x.dtype)
    return torch.lerp(ctx.weights["skip_weights"][index].to(x.dtype) * skip, x, gate)


@hookimpl
def parameters(settings: SettingsView, plan: PlanFacts) -> list[Param]:
    """One row of weights and one of gates for each skip of the longest plan."""
    shape = (plan.num_skips, settings.model_dim)
    return [
        Param("skip_weights", shape, "scalar", "control", init=Component(ones)),
        Param("skip_gates", shape, "scalar", "control", init=Component(zeros)),
    ]


@hookimpl
def skip(settings: SettingsView) -> Component:
    """Blend."""
    return Component(gated_skip)
