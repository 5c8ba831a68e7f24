"""Rotary position encoding over the whole head, half-split pairs.

    (u, v) = (x_j, x_{j+C/2}),  angle = t * base^(-2j/C):   (u, v) -> (u cos + v sin, v cos - u sin)

Source: openai/parameter-golf, train_gpt.py (baseline); RoFormer, arXiv:2104.09864.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.layers import rotate_halves

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="rope",
    summary="Rotary positions over the whole head.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
    settings=(Setting("rope_base", 10000.0, "base of the rotary frequencies", minimum=1),),
)


class Rope:
    """x_BTHC -> rotated x_BTHC; tables are computed once per forward."""

    def __init__(self, base: float) -> None:
        self.base = base

    def __call__(self, model: GPT, x_BTHC: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
        ctx.fired("rope", "rotations")
        return rotate_halves(x_BTHC, self.base, ctx)


@hookimpl
def rotary(settings: SettingsView) -> Component:
    """All components rotate."""
    settings.require(settings.head_dim % 2 == 0, "num_heads", "heads of an even width: components rotate in pairs")
    return Component(Rope, base=settings.rope_base)
