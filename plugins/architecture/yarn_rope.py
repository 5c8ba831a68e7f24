"""YaRN, static: slow rotary frequencies are slowed down by a ramp, fast ones stay, whatever the length of the forward.

    f_i = base^(-i/C) / (r_i (1/s - 1) + 1),   r_i = clip((i/C - 1/4) / (3/4), 0, 1),   s = train_seq_len / yarn_max_len

for i = 0, 2, .. C-2; pairs, angles and rotation as in `rope`. Attention has no temperature.

Source: record 2026-03-24_74M_Ternary_UNet_FP8_10L_8192BPE_YaRN_NeoMuon; YaRN, arXiv:2309.00071.
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
    name="yarn_rope",
    summary="Rotary positions whose slow frequencies are slowed down for a longer context.",
    source="openai/parameter-golf record 2026-03-24_74M_Ternary_UNet_FP8_10L_8192BPE_YaRN_NeoMuon",
    family="architecture",
    effect="-0.001 to -0.002 BPB after 1500 steps",
    settings=(
        Setting("rope_base", 5000.0, "base of the rotary frequencies", minimum=1),
        Setting("yarn_max_len", 2048, "context for which frequencies are made", minimum=1),
    ),
)


class YarnRope:
    """x_BTHC -> rotated x_BTHC; `scale` is s."""

    def __init__(self, base: float, scale: float) -> None:
        self.base = base
        self.scale = scale

    def frequencies(self, width: int, device: torch.device) -> Tensor:
        """Radians a token of every pair, (C/2,) float32."""
        place = torch.arange(0, width, 2, dtype=torch.float32, device=device) / width
        ramp = ((place - 0.25) / 0.75).clamp(0, 1)
        return 1 / self.base**place / (ramp * (1 / self.scale - 1) + 1)

    def __call__(self, model: GPT, x_BTHC: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
        ctx.fired("yarn_rope", "rotations")
        if "rope" not in ctx.memo:
            t = torch.arange(x_BTHC.size(1), dtype=torch.float32, device=x_BTHC.device)
            angles = torch.outer(t, self.frequencies(x_BTHC.size(3), x_BTHC.device))
            # The tables that the rotation would make for itself.
            ctx.memo["rope"] = angles.cos(), angles.sin()
        return rotate_halves(x_BTHC, self.base, ctx)


@hookimpl
def rotary(settings: SettingsView) -> Component:
    """All components rotate."""
    settings.require(settings.head_dim % 2 == 0, "num_heads", "heads of an even width: components rotate in pairs")
    trained = settings.train_seq_len
    settings.require(settings.yarn_max_len != trained, "yarn_max_len", f"another length than train_seq_len={trained}")
    return Component(YarnRope, base=settings.rope_base, scale=trained / settings.yarn_max_len)
