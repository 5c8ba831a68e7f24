"""GPT-J style parallel residual: from one layer on, attention and MLP read the same input and are added together.

    u = a * x + b * x0;   x <- u + s_a * Attn(n(u)) + s_m * MLP(n(u))      for physical layers >= start

Source: openai/parameter-golf PR #1412 and PR #1493.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.wiring import (
    branch_input,
    join_first_lane,
    residual_mix,
    scaled_attention,
    scaled_mlp,
    sequential_block,
    walk_plan,
)

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.architecture import Lanes
    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="parallel_residual",
    summary="Attention and MLP in parallel from one layer on.",
    source="openai/parameter-golf#1412",
    family="architecture",
    effect="about -0.0005 BPB, -0.5 ms a step",
    requires=("residual_scales",),
    settings=(Setting("parallel_residual_start", 7, "first parallel physical layer", minimum=0),),
)


class ParallelWiring:
    """The whole plan, sequential before `start` and parallel from it on."""

    def __init__(self, start: int) -> None:
        self.start = start

    def __call__(self, model: GPT, x_BTD: Tensor, x0_BTD: Tensor, ctx: Context) -> Tensor:
        return walk_plan(model, (x_BTD,), x0_BTD, ctx, self.run_block, join_first_lane)[0]

    def run_block(self, model: GPT, lanes: Lanes, x0: Tensor, layer: int, position: int, ctx: Context) -> Lanes:
        """One layer: x_BTD -> x_BTD."""
        if layer < self.start:
            return sequential_block(model, lanes, x0, layer, position, ctx)
        ctx.fired("parallel_residual", "parallel blocks")
        u = residual_mix(model, lanes[0], x0, layer, ctx)
        n = branch_input(model, u, layer, position, ctx)
        attended = scaled_attention(model, n, layer, position, ctx)
        return (u + attended + scaled_mlp(model, n, layer, position, ctx),)


@hookimpl
def wiring(settings: SettingsView) -> Component:
    """Two branches from one input."""
    start, last = settings.parallel_residual_start, settings.num_layers - 1
    settings.require(start <= last, "parallel_residual_start", f"at most {last}, the last layer")
    return Component(ParallelWiring, start=start)
