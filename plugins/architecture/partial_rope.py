"""Rotary position encoding of the first components only; the rest of the head carries content without position.

    x[:rope_dims] rotates with angle t * base^(-2j/rope_dims), half-split inside; x[rope_dims:] stays

Source: openai/parameter-golf PR #315.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.layers import rotate_halves

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="partial_rope",
    summary="Rotary positions on part of the head.",
    source="openai/parameter-golf#315",
    family="architecture",
    effect="-0.0023 BPB together with ln_scale",
    settings=(
        Setting("rope_base", 10000.0, "base of the rotary frequencies", minimum=1),
        Setting("rope_dims", 16, "rotated components of each head", minimum=2),
    ),
)


class PartialRope:
    """x_BTHC -> x_BTHC with the first `dims` components rotated."""

    def __init__(self, base: float, dims: int) -> None:
        self.base = base
        self.dims = dims

    def __call__(self, model: GPT, x_BTHC: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
        ctx.fired("partial_rope", "rotations")
        rotated = rotate_halves(x_BTHC[..., : self.dims], self.base, ctx)
        return torch.cat((rotated, x_BTHC[..., self.dims :]), -1)


@hookimpl
def rotary(settings: SettingsView) -> Component:
    """Some components rotate."""
    dims, width = settings.rope_dims, settings.head_dim
    settings.require(dims % 2 == 0, "rope_dims", "an even number: components rotate in pairs")
    settings.require(dims <= width, "rope_dims", f"at most {width}, the width of a head")
    return Component(PartialRope, base=settings.rope_base, dims=dims)
