"""LN scale: the normed input of both branches of physical layer i is multiplied by 1/sqrt(i+1).

Deeper layers add less at first, which steadies training; there are no parameters.

Source: openai/parameter-golf PR #315.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="ln_scale",
    summary="Branch inputs scaled by 1/sqrt(layer + 1).",
    source="openai/parameter-golf#315",
    family="architecture",
    effect="-0.0023 BPB together with partial_rope",
)


def scale_by_depth(model: GPT, n_BTD: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
    """n_BTD -> n_BTD."""
    ctx.fired("ln_scale", "branches")
    scale: float = (layer + 1) ** -0.5
    return n_BTD * scale


@hookimpl
def branch_inputs(settings: SettingsView) -> Component:
    """Both branches of every layer."""
    return Component(scale_by_depth)
