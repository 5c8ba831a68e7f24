"""No attention in the first step of the plan: its layer is an MLP alone, and its attention matrices are not stored.

Where a loop comes back to that layer, later passes have attention, so the matrices stay. Banks hold all layers: with them
the dead weights stay too, as in PR #1204, and only with `quirk_dead_layer0_weights`.

Source: openai/parameter-golf PR #1204 (DISABLE_LAYER0_ATTN).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

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


def roles(settings: SettingsView) -> tuple[str, ...]:
    """The matrices of an attention."""
    if "fused_qkv" in settings.plugins:
        return "attn.c_qkv", "attn.proj"
    return "attn.c_q", "attn.c_k", "attn.c_v", "attn.proj"


def after_the_first(layer: int, position: int, ctx: Context, dead: tuple[str, ...], dim: int) -> bool:
    """Whether a step has attention; calibration sees no input of the matrices of the step that has none, which is zeros."""
    if position == 0:
        ctx.fired("disable_layer0_attn", "steps without attention")
        if ctx.observe is not None:
            for role in dead:
                ctx.observe(role, layer, torch.zeros(1, dim, device=ctx.ids.device))
    return position > 0


@hookimpl
def dropped_matrices(settings: SettingsView, plan: PlanFacts) -> list[str]:
    """Those of a layer that every variant of the plan runs first and only then."""
    orders = [(*encoder, *decoder) for encoder, decoder in plan.variants.values()]
    if settings.quirk_dead_layer0_weights or any(order[0] != 0 or order.count(0) > 1 for order in orders):
        return []
    return [f"blocks.0.{role}.weight" for role in roles(settings)]


@hookimpl
def attention_switch(settings: SettingsView) -> Component:
    """Off in step 0."""
    dead = roles(settings) if settings.quirk_dead_layer0_weights else ()
    return Component(after_the_first, dead=dead, dim=settings.model_dim)
