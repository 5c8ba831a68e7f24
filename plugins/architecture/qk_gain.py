"""A learned gain per query head on normed, rotated queries: q_h <- g_h * q_h.

With unit-RMS queries and keys the logits range within +-g sqrt(C). The start value is what records tune.

Source: openai/parameter-golf, train_gpt.py (baseline, 1.5); 4.0 in PR #1125, 5.25 in PR #1493.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Param, Plugin, Setting, hookimpl
from pgolf.runtime.parameters import constant

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="qk_gain",
    summary="Learned gain per query head.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
    order=30,
    settings=(Setting("qk_gain_init", 1.5, "start of every head's gain"),),
)


def apply_qk_gain(
    model: GPT, q_BTHC: Tensor, k_BTKC: Tensor, n_BTD: Tensor, layer: int, position: int, ctx: Context
) -> tuple[Tensor, Tensor]:
    """(q, k) with q scaled."""
    ctx.fired("qk_gain", "layers")
    gain = ctx.weights[f"blocks.{layer}.attn.q_gain"].to(q_BTHC.dtype)
    return q_BTHC * gain[:, None], k_BTKC


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """One gain per head and layer."""
    return [
        Param(
            "blocks.{}.attn.q_gain",
            (settings.num_heads,),
            "scalar",
            "control",
            init=Component(constant, value=settings.qk_gain_init),
            layers=settings.num_layers,
        )
    ]


@hookimpl
def query_key_taps(settings: SettingsView) -> Component:
    """After rotation, with which it commutes."""
    return Component(apply_qk_gain)
