"""One stream; in every layer attention first, then the MLP on the updated stream.

    u = a * x + b * x0;   u <- u + s_a * Attn(n(u));   x <- u + s_m * MLP(n(u))

Source: openai/parameter-golf, train_gpt.py (baseline).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.wiring import join_first_lane, sequential_block, walk_plan

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="sequential_wiring",
    summary="Attention, then MLP, on one residual stream.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
    requires=("residual_scales",),
)


def sequential_wiring(model: GPT, x_BTD: Tensor, x0_BTD: Tensor, ctx: Context) -> Tensor:
    """The whole plan."""
    ctx.fired("sequential_wiring", "walks")
    return walk_plan(model, (x_BTD,), x0_BTD, ctx, sequential_block, join_first_lane)[0]


@hookimpl
def wiring(settings: SettingsView) -> Component:
    """One stream."""
    return Component(sequential_wiring)
