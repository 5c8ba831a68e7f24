"""Differential attention: every head attends twice with half its width, and its halves are difference and sum of both.

    y1 = Attn(q1, k1, v1),  y2 = Attn(q2, k2, v2)     y_h = [y1 - l_h y2; y1 + l_h y2],   l (H,) = 1/2 at start

Part 1 is every second component of a head from the first on, part 2 the others: so both components of a rotated pair are in
one part, and attention depends on distances alone. The scale is that of a half, 1/sqrt(C/2). Any kernel serves.

Source: openai/parameter-golf record 2026-03-24_74M_Ternary (flag DIFF_ATTN, off in the record); arXiv:2410.05258.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.parameters import constant
from pgolf.runtime.segments import run_kernel

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="differential_attention",
    summary="Heads attend twice with half their width; outputs are difference and sum.",
    source="openai/parameter-golf record 2026-03-24_74M_Ternary_UNet_FP8_10L_8192BPE_YaRN_NeoMuon",
    family="architecture",
    effect="measured neutral or worse, never on in a record",
)


def attend_twice(
    model: GPT, q_BTHC: Tensor, k_BTKC: Tensor, v_BTKC: Tensor, layer: int, position: int, ctx: Context
) -> Tensor:
    """y_BTHC."""
    ctx.fired("differential_attention", "layers")
    outputs = []
    for part in (0, 1):
        q, k, v = (x[..., part::2].contiguous() for x in (q_BTHC, k_BTKC, v_BTKC))
        outputs.append(run_kernel(model, q, k, v, layer, position, ctx))
    first, second = outputs
    second = ctx.weights[f"blocks.{layer}.attn.diff_lambda"].to(second.dtype)[:, None] * second
    return torch.cat((first - second, first + second), -1)


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """One share per head and layer."""
    shape, start = (settings.num_heads,), Component(constant, value=0.5)
    return [Param("blocks.{}.attn.diff_lambda", shape, "scalar", "control", init=start, layers=settings.num_layers)]


@hookimpl
def attention_core(settings: SettingsView) -> Component:
    """Around the kernel."""
    rotated = getattr(settings, "rope_dims", 0) or settings.head_dim
    settings.require(settings.head_dim % 4 == 0, "num_heads", "heads whose width is a multiple of 4: they are halved")
    settings.require(rotated % 4 == 0, "rope_dims", "a multiple of 4: rotated pairs stay in one half of a head")
    return Component(attend_twice)
