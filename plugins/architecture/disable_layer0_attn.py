"""No attention in the first step of the plan: its layer is an MLP alone, and its attention matrices are not stored.

Where a loop comes back to that layer, later passes have attention, so the matrices stay. Banks hold all layers: with them
the dead weights stay too, as in PR #1204, and only with `quirk_dead_layer0_weights`.

Source: openai/parameter-golf PR #1204 (DISABLE_LAYER0_ATTN).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from pgolf import PlanFacts
    from pgolf.runtime.context import Context
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="disable_layer0_attn",
    summary="The first step of the plan has no attention.",
    source="openai/parameter-golf#1204",
    family="architecture",
    effect="about 0 BPB, -1.5 ms a step, 0.79 M parameters fewer at width 512",
    settings=(Setting("quirk_dead_layer0_weights", False, "store the unused matrices all the same, as PR #1204 did"),),
)


def after_the_first(layer: int, position: int, ctx: Context) -> bool:
    """Whether a step has attention."""
    if position == 0:
        ctx.fired("disable_layer0_attn", "steps without attention")
    return position > 0


@hookimpl
def dropped_matrices(settings: SettingsView, plan: PlanFacts) -> list[str]:
    """Those of a layer that every variant of the plan runs first and only then."""
    orders = [(*encoder, *decoder) for encoder, decoder in plan.variants.values()]
    if settings.quirk_dead_layer0_weights or any(order[0] != 0 or order.count(0) > 1 for order in orders):
        return []
    roles = ("c_qkv", "proj") if "fused_qkv" in settings.plugins else ("c_q", "c_k", "c_v", "proj")
    return [f"blocks.0.attn.{role}.weight" for role in roles]


@hookimpl
def attention_switch(settings: SettingsView) -> Component:
    """Off in step 0."""
    return Component(after_the_first)
