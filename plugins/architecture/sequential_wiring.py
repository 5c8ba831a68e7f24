"""One stream; in every layer attention first, then the MLP on the updated stream.

    u = a * x + b * x0;   u <- u + s_a * Attn(n(u));   x <- u + s_m * MLP(n(u))

Source: openai/parameter-golf, train_gpt.py (baseline).
"""

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.attention import attention_branch
from pgolf.runtime.wiring import branch_input, mlp_branch, residual_mix, walk_plan

PLUGIN = Plugin(
    name="sequential_wiring",
    summary="Attention, then MLP, on one residual stream.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
    requires=("residual_scales",),
)


def sequential_block(model, x, x0, layer, position, ctx):
    """One layer: x_BTD -> x_BTD."""
    ctx.fired("sequential_wiring", "blocks")
    block = model.blocks[layer]
    u = residual_mix(model, x, x0, layer)
    attended = attention_branch(model, branch_input(model, u, layer, position, ctx), layer, position, ctx)
    u = u + block.attn_scale.to(u.dtype) * attended
    hidden = mlp_branch(model, branch_input(model, u, layer, position, ctx), layer, position, ctx)
    return u + block.mlp_scale.to(u.dtype) * hidden


def sequential_wiring(model, x, x0, ctx):
    """The whole plan."""
    return walk_plan(model, x, x0, ctx, sequential_block)


@hookimpl
def wiring(settings) -> Component:
    """One stream."""
    return Component(sequential_wiring)
