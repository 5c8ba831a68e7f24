"""u = mix(x, x0);   x <- u + s_m MLP(n(u)) + s_a Attn(n(u)): both branches read the same stream."""

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.wiring import branch_input, join_first_lane, residual_mix, scaled_attention, scaled_mlp, walk_plan

PLUGIN = Plugin(
    name="example_wiring",
    summary="Both branches side by side.",
    source="pgolf's documentation",
    family="architecture",
    requires=("residual_scales",),
)


def block(model, lanes, x0, layer, position, ctx):
    """One step of the plan on one lane."""
    ctx.fired("example_wiring", "blocks")
    u = residual_mix(model, lanes[0], x0, layer, ctx)
    n = branch_input(model, u, layer, position, ctx)
    u = u + scaled_mlp(model, n, layer, position, ctx) + scaled_attention(model, n, layer, position, ctx)
    return (u,)


def side_by_side(model, x_BTD, x0_BTD, ctx):
    """`walk_plan` runs the block over the plan and joins the skips."""
    return walk_plan(model, (x_BTD,), x0_BTD, ctx, block, join_first_lane)[0]


@hookimpl
def wiring(settings) -> Component:
    """The scales are the plugin residual_scales', which this one requires."""
    return Component(side_by_side)
