"""U-net skips, added: x <- x + w_i * skip before decoder step i; w is (skips, D) and starts at one.

Source: openai/parameter-golf, train_gpt.py (baseline).
"""

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.parameters import ones

PLUGIN = Plugin(
    name="additive_skips",
    summary="Encoder outputs are added, weighted per channel, in the decoder.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
)


def additive_skip(model, x, skip, index, ctx):
    """x_BTD with skip number `index` joined."""
    ctx.fired("additive_skips", "skips")
    return x + model.skip_weights[index].to(x.dtype) * skip


@hookimpl
def parameters(settings, plan) -> list[Param]:
    """One row for each skip of the longest plan."""
    return [Param("skip_weights", (plan.num_skips, settings.model_dim), "scalar", "control", init=Component(ones))]


@hookimpl
def skip(settings) -> Component:
    """Weighted sum."""
    return Component(additive_skip)
