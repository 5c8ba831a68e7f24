"""Two residual lanes from one decoder step on: attention reads the first, the MLP the second, both write to both.

    first decoder step of a layer >= start: lane_0 = lane_1 = x, then the step's skip joins lane_0 alone
    a = s_a * Attn(n(mix_0 * lane_0 + mix_1 * x0)),  m = s_m * MLP(n(lane_1)),  both of the old lanes
    lane_i <- r[l,i] * lane_i + p[l,0,i] * a + p[l,1,i] * m         r = 1.1 and p = 1 at start
    at the end: (lane_0 + lane_1) / 2, or one of them

Once there are two lanes every later step runs on both, so a loop that passes its first layers again forks nothing twice.
Encoder steps and the decoder steps before the fork are sequential.

Source: openai/parameter-golf PR #1530; in all later records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Param, Plugin, Setting, hookimpl
from pgolf.runtime.parameters import constant, ones
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
    name="two_lanes",
    summary="Attention and MLP on two residual lanes from one decoder step on.",
    source="openai/parameter-golf#1530",
    family="architecture",
    effect="about -0.001 BPB, about +1 ms a step",
    requires=("residual_scales",),
    settings=(
        Setting("parallel_start_layer", 8, "first physical layer whose decoder step has two lanes", minimum=1),
        Setting("parallel_final_lane", "mean", "what is read at the end", choices=("mean", "attn", "mlp")),
    ),
)


class TwoLanes:
    """The whole plan; forks before the first decoder step of a layer >= `start`."""

    def __init__(self, start: int, final: str) -> None:
        self.start = start
        self.final = final

    def __call__(self, model: GPT, x_BTD: Tensor, x0_BTD: Tensor, ctx: Context) -> Tensor:
        lanes = walk_plan(model, (x_BTD,), x0_BTD, ctx, self.run_block, self.fork)
        if self.final == "mean":
            return 0.5 * (lanes[0] + lanes[1])
        return lanes[0] if self.final == "attn" else lanes[1]

    def fork(self, model: GPT, lanes: Lanes, skip: Tensor | None, index: int, layer: int, ctx: Context) -> Lanes:
        """Two lanes where it is time, then the skip into the first."""
        if len(lanes) == 1 and layer >= self.start:
            lanes = lanes + lanes
        return join_first_lane(model, lanes, skip, index, layer, ctx)

    def run_block(self, model: GPT, lanes: Lanes, x0: Tensor, layer: int, position: int, ctx: Context) -> Lanes:
        """One layer, on one lane or on two."""
        if len(lanes) == 1:
            return sequential_block(model, lanes, x0, layer, position, ctx)
        ctx.fired("two_lanes", "steps on two lanes")
        first, second = lanes
        u = residual_mix(model, first, x0, layer, ctx)
        a = scaled_attention(model, branch_input(model, u, layer, position, ctx), layer, position, ctx)
        m = scaled_mlp(model, branch_input(model, second, layer, position, ctx), layer, position, ctx)
        keep = ctx.weights["parallel_resid_lambdas"][layer].to(u.dtype)
        add = ctx.weights["parallel_post_lambdas"][layer].to(u.dtype)
        return (
            keep[0] * first + add[0, 0] * a + add[1, 0] * m,
            keep[1] * second + add[0, 1] * a + add[1, 1] * m,
        )


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """Weights of lane (layer, lane) and of branch (layer, branch, lane), for every layer."""
    layers = settings.num_layers
    keep = Component(constant, value=1.1)
    return [
        Param("parallel_resid_lambdas", (layers, 2), "scalar", "control", init=keep),
        Param("parallel_post_lambdas", (layers, 2, 2), "scalar", "control", init=Component(ones)),
    ]


@hookimpl
def wiring(settings: SettingsView) -> Component:
    """Takes the place of one stream."""
    start, last = settings.parallel_start_layer, settings.num_layers - 1
    settings.require(start <= last, "parallel_start_layer", f"at most {last}, the last layer")
    return Component(TwoLanes, start=start, final=settings.parallel_final_lane)
