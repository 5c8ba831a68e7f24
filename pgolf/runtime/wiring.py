"""Walking the layer plan: residual mix, branch inputs, lanes, U-net skips. Wirings differ in how branches join the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf.runtime.attention import attention_branch
from pgolf.runtime.layers import adapt, rms_norm

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.architecture import Block, Join, Lanes
    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT


def residual_mix(model: GPT, x: Tensor, x0: Tensor, layer: int, ctx: Context) -> Tensor:
    """a * x + b * x0 with the two learned rows of `resid_mix`."""
    mix = ctx.weights[f"blocks.{layer}.resid_mix"].to(x.dtype)
    return mix[0] * x + mix[1] * x0


def branch_input(model: GPT, x: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
    """The normed stream that a branch reads, after branch-input taps."""
    n = rms_norm(x)
    for scale in model.program.branch_inputs:
        n = scale(model, n, layer, position, ctx)
    return n


def scaled_attention(model: GPT, n_BTD: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
    """What the attention of one layer adds: the branch times `attn_scale`."""
    if model.program.attention_switch is not None and not model.program.attention_switch(layer, position, ctx):
        return torch.zeros_like(n_BTD)
    attended = attention_branch(model, n_BTD, layer, position, ctx)
    return ctx.weights[f"blocks.{layer}.attn_scale"].to(n_BTD.dtype) * attended


def scaled_mlp(model: GPT, n_BTD: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
    """What the MLP of one layer adds: the branch, with what an adapter adds to it, times `mlp_scale`."""
    hidden = model.program.mlp(model, n_BTD, layer, position, ctx)
    for change in model.program.mlp_outputs:
        hidden = change(model, hidden, n_BTD, layer, position, ctx)
    hidden = adapt(hidden, n_BTD, "mlp", position, ctx)
    return ctx.weights[f"blocks.{layer}.mlp_scale"].to(n_BTD.dtype) * hidden


def sequential_block(model: GPT, lanes: Lanes, x0: Tensor, layer: int, position: int, ctx: Context) -> Lanes:
    """One layer on one lane: attention first, then the MLP on the updated stream."""
    u = residual_mix(model, lanes[0], x0, layer, ctx)
    u = u + scaled_attention(model, branch_input(model, u, layer, position, ctx), layer, position, ctx)
    return (u + scaled_mlp(model, branch_input(model, u, layer, position, ctx), layer, position, ctx),)


def join_first_lane(model: GPT, lanes: Lanes, skip: Tensor | None, index: int, layer: int, ctx: Context) -> Lanes:
    """The skip, if this decoder step has one, joins the first lane."""
    if skip is None:
        return lanes
    return (model.program.skip(model, lanes[0], skip, index, ctx), *lanes[1:])


def walk_plan(model: GPT, lanes: Lanes, x0: Tensor, ctx: Context, block: Block, join: Join) -> Lanes:
    """Run every step of the plan on a tuple of lanes; returns those of the last step.

    `block(model, lanes, x0, layer, position, ctx)` is one layer. The first lane of every encoder step returns as a skip,
    last first: before each decoder step `join(model, lanes, skip, index, layer, ctx)` merges it, or None where there is none
    left, or no parameters for it, and may fork a lane. Steps may change how many lanes there are.
    """
    encoder, decoder = model.program.layer_plan(ctx.phases)
    unit = f"steps over {model.settings.num_layers} layers"
    ctx.fired(model.program.layer_plan.name, unit, len(encoder) + len(decoder))
    skips = []
    for position, layer in enumerate(encoder):
        lanes = block(model, lanes, x0, layer, position, ctx)
        skips.append(lanes[0])
    for index, layer in enumerate(decoder):
        if model.program.skip_rows is not None and index == model.program.skip_rows:
            skips.clear()
        lanes = join(model, lanes, skips.pop() if skips else None, index, layer, ctx)
        lanes = block(model, lanes, x0, layer, len(encoder) + index, ctx)
    return lanes
