"""LN scale: the normed input of both branches of physical layer i is multiplied by 1/sqrt(i+1).

Deeper layers add less at first, which steadies training; there are no parameters.

Source: openai/parameter-golf PR #315.
"""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="ln_scale",
    summary="Branch inputs scaled by 1/sqrt(layer + 1).",
    source="openai/parameter-golf#315",
    family="architecture",
    effect="-0.0023 BPB together with partial_rope",
)


def scale_by_depth(model, n_BTD, layer, position, ctx):
    """n_BTD -> n_BTD."""
    ctx.fired("ln_scale", "branches")
    return n_BTD * (layer + 1) ** -0.5


@hookimpl
def branch_inputs(settings) -> Component:
    """Both branches of every layer."""
    return Component(scale_by_depth)
