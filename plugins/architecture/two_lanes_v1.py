"""Two residual lanes, first form: inside a layer attention writes to both lanes before the MLP reads the second one.

    first decoder step of a layer >= start: lane_0 = lane_1 = x; from then on every skip joins both lanes, through one gate
    a = s_a * Attn(n(mix_0 * lane_0 + mix_1 * x0)),   lane_i <- r_l * lane_i + p[l,0,i] * a
    m = s_m * MLP(n(mix_0 * lane_1 + mix_1 * x0)),    lane_i <- q_l * lane_i + p[l,1,i] * m
    (r_l, q_l) = (sqrt 1.1, sqrt 1.1) and p = 1 at start; at the end (lane_0 + lane_1) / 2

Everything belongs to the physical layer, r, q and p also where `quirk_virtual_index` of depth_recurrence gives other tensors
to the step. Encoder steps, and decoder steps before the fork, are sequential.

Source: openai/parameter-golf PR #1204.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Param, Plugin, Setting, hookimpl
from pgolf.runtime.parameters import constant, ones
from pgolf.runtime.wiring import (
    branch_input,
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
    name="two_lanes_v1",
    summary="Attention, then MLP, on two residual lanes that both write to.",
    source="openai/parameter-golf#1204",
    family="architecture",
    effect="-0.0022 BPB on top of a repeated layer pair, 1 to 2 ms a step",
    requires=("residual_scales",),
    settings=(Setting("parallel_start_layer", 7, "first physical layer whose decoder step has two lanes", minimum=1),),
)


class TwoLanesV1:
    """The whole plan; forks before the first decoder step of a layer >= `start`."""

    def __init__(self, start: int) -> None:
        self.start = start

    def __call__(self, model: GPT, x_BTD: Tensor, x0_BTD: Tensor, ctx: Context) -> Tensor:
        lanes = walk_plan(model, (x_BTD,), x0_BTD, ctx, self.run_block, self.fork)
        return 0.5 * (lanes[0] + lanes[1])

    def fork(self, model: GPT, lanes: Lanes, skip: Tensor | None, index: int, layer: int, ctx: Context) -> Lanes:
        """Two lanes where it is time, then the skip into each."""
        for choice in model.program.matrix_layers:
            layer = choice("", layer, index, ctx)
        if len(lanes) == 1 and layer >= self.start:
            lanes = lanes + lanes
        if skip is None:
            return lanes
        return tuple(model.program.skip(model, lane, skip, index, ctx) for lane in lanes)

    def run_block(self, model: GPT, lanes: Lanes, x0: Tensor, layer: int, position: int, ctx: Context) -> Lanes:
        """One layer, on one lane or on two."""
        if len(lanes) == 1:
            return sequential_block(model, lanes, x0, layer, position, ctx)
        ctx.fired("two_lanes_v1", "steps on two lanes")
        first, second = lanes
        physical = layer
        for choice in model.program.matrix_layers:
            physical = choice("", physical, position, ctx)
        keep = ctx.weights["parallel_resid_lambdas"][physical].to(first.dtype)
        add = ctx.weights["parallel_post_lambdas"][physical].to(first.dtype)
        n = branch_input(model, residual_mix(model, first, x0, layer, ctx), layer, position, ctx)
        a = scaled_attention(model, n, layer, position, ctx)
        first, second = keep[0] * first + add[0, 0] * a, keep[0] * second + add[0, 1] * a
        n = branch_input(model, residual_mix(model, second, x0, layer, ctx), layer, position, ctx)
        m = scaled_mlp(model, n, layer, position, ctx)
        return keep[1] * first + add[1, 0] * m, keep[1] * second + add[1, 1] * m


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """What is kept, by (layer, branch), and what is added, by (layer, branch, lane), for every layer."""
    layers, keep = settings.num_layers, Component(constant, value=1.1**0.5)
    return [
        Param("parallel_resid_lambdas", (layers, 2), "scalar", "control", init=keep),
        Param("parallel_post_lambdas", (layers, 2, 2), "scalar", "control", init=Component(ones)),
    ]


@hookimpl
def wiring(settings: SettingsView) -> Component:
    """Takes the place of one stream."""
    start, last = settings.parallel_start_layer, settings.num_layers - 1
    settings.require(start <= last, "parallel_start_layer", f"at most {last}, the last layer")
    return Component(TwoLanesV1, start=start)
