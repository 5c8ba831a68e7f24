"""GPT-J style parallel residual: from one layer on, attention and MLP read the same input and are added together.

    u = a * x + b * x0;   x <- u + s_a * Attn(n(u)) + s_m * MLP(n(u))      for physical layers >= start

Source: openai/parameter-golf PR #1412 and PR #1493.
"""

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.attention import attention_branch
from pgolf.runtime.wiring import branch_input, mlp_branch, residual_mix, walk_plan

PLUGIN = Plugin(
    name="parallel_residual",
    summary="Attention and MLP in parallel from one layer on.",
    source="openai/parameter-golf#1412",
    family="architecture",
    effect="about -0.0005 BPB, -0.5 ms a step",
    requires=("residual_scales",),
    settings=(Setting("parallel_residual_start", 7, "first parallel physical layer; negative means none"),),
)


class ParallelWiring:
    """The whole plan, sequential before `start` and parallel from it on."""

    def __init__(self, start):
        self.start = start

    def __call__(self, model, x, x0, ctx):
        return walk_plan(model, x, x0, ctx, self.run_block)

    def run_block(self, model, x, x0, layer, position, ctx):
        """One layer: x_BTD -> x_BTD."""
        block = model.blocks[layer]
        u = residual_mix(model, x, x0, layer)
        n = branch_input(model, u, layer, position, ctx)
        x = u + block.attn_scale.to(u.dtype) * attention_branch(model, n, layer, position, ctx)
        if 0 <= self.start <= layer:
            ctx.fired("parallel_residual", "parallel blocks")
        else:
            n = branch_input(model, x, layer, position, ctx)
        return x + block.mlp_scale.to(u.dtype) * mlp_branch(model, n, layer, position, ctx)


@hookimpl
def wiring(settings) -> Component:
    """Two branches from one input."""
    return Component(ParallelWiring, start=settings.parallel_residual_start)
