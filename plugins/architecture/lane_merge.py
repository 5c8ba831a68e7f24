"""Two residual lanes that do not meet until the end: attention on the first, the MLP on the second, then a learned mean.

    first decoder step of a layer >= start: its skip joins x, then lane_0 = lane_1 = x; later skips join lane_0 alone
    u = a * lane_0 + b * x0,   lane_0 <- u + s_a * Attn(n(u)),   lane_1 <- lane_1 + s_m * MLP(n(lane_1))
    at the end: m * lane_0 + (1 - m) * lane_1,   m = 1/2 at start

Once there are two lanes every later step runs on both. Steps before the fork are sequential.

Source: openai/parameter-golf PR #1334 and PR #1477. In PR #1334 skips after the fork joined a lane that nothing read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Param, Plugin, Setting, hookimpl
from pgolf.runtime.parameters import constant
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
    name="lane_merge",
    summary="Attention and MLP on lanes of their own, merged at the end by one learned share.",
    source="openai/parameter-golf#1477",
    family="architecture",
    effect="-0.0006 BPB (1.0828 to 1.0822), one parameter",
    requires=("residual_scales",),
    settings=(Setting("parallel_start_layer", 7, "first physical layer whose decoder step has two lanes", minimum=1),),
)


class MergedLanes:
    """The whole plan; forks at the first decoder step of a layer >= `start`."""

    def __init__(self, start: int) -> None:
        self.start = start

    def __call__(self, model: GPT, x_BTD: Tensor, x0_BTD: Tensor, ctx: Context) -> Tensor:
        lanes = walk_plan(model, (x_BTD,), x0_BTD, ctx, self.run_block, self.fork)
        share = ctx.weights["lane_merge"].to(x_BTD.dtype)
        return share * lanes[0] + (1 - share) * lanes[1]

    def fork(self, model: GPT, lanes: Lanes, skip: Tensor | None, index: int, layer: int, ctx: Context) -> Lanes:
        """The skip first, so that both lanes begin with it."""
        lanes = join_first_lane(model, lanes, skip, index, layer, ctx)
        return lanes + lanes if len(lanes) == 1 and layer >= self.start else lanes

    def run_block(self, model: GPT, lanes: Lanes, x0: Tensor, layer: int, position: int, ctx: Context) -> Lanes:
        """One layer, on one lane or on two."""
        if len(lanes) == 1:
            return sequential_block(model, lanes, x0, layer, position, ctx)
        ctx.fired("lane_merge", "steps on two lanes")
        first, second = lanes
        u = residual_mix(model, first, x0, layer, ctx)
        a = scaled_attention(model, branch_input(model, u, layer, position, ctx), layer, position, ctx)
        m = scaled_mlp(model, branch_input(model, second, layer, position, ctx), layer, position, ctx)
        return u + a, second + m


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """The share of the first lane."""
    return [Param("lane_merge", (), "scalar", "control", init=Component(constant, value=0.5))]


@hookimpl
def wiring(settings: SettingsView) -> Component:
    """Takes the place of one stream."""
    start, last = settings.parallel_start_layer, settings.num_layers - 1
    settings.require(start <= last, "parallel_start_layer", f"at most {last}, the last layer")
    return Component(MergedLanes, start=start)
