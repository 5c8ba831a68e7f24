"""Paired heads: the streams of two heads are interleaved to one of twice the length, and each attends to both.

    heads 2i and 2i+1 of token t become places 2t and 2t+1 of stream i, for queries, keys and values alike

A query sees its own head and the other one up to its place: of its own token, the second head sees the first, the first does
not see the second. A window of w keys covers w/2 tokens; full attention costs twice. Documents stay apart. Any kernel serves.

Source: KellerJordan/modded-nanogpt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.segments import run_kernel

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="paired_head_attention",
    summary="Pairs of heads attend to each other's keys, interleaved to one stream.",
    source="KellerJordan/modded-nanogpt",
    family="architecture",
    effect="not measured in parameter-golf",
)


def interleave(x_BTHC: Tensor) -> Tensor:
    """(B, T, H, C) -> (B, 2T, H/2, C)."""
    return torch.unflatten(x_BTHC, 2, (-1, 2)).transpose(2, 3).flatten(1, 2)


def attend_in_pairs(
    model: GPT, q_BTHC: Tensor, k_BTKC: Tensor, v_BTKC: Tensor, layer: int, position: int, ctx: Context
) -> Tensor:
    """y_BTHC."""
    ctx.fired("paired_head_attention", "layers")
    # What kernels keep for a forward, such as masks, belongs to the length of their row.
    memo = ctx.memo.setdefault("paired heads", {})
    fields = dict(ctx.fields)
    if "documents" in fields:
        fields["documents"] = fields["documents"].repeat_interleave(2, 1)
    q, k, v = (interleave(x) for x in (q_BTHC, k_BTKC, v_BTKC))
    y = run_kernel(model, q, k, v, layer, position, ctx._replace(memo=memo, fields=fields))
    return torch.unflatten(y, 1, (-1, 2)).transpose(2, 3).flatten(2, 3)


@hookimpl
def attention_core(settings: SettingsView) -> Component:
    """Around the kernel."""
    settings.require(settings.num_heads % 2 == 0, "num_heads", "an even number: heads are paired")
    settings.require(settings.num_kv_heads % 2 == 0, "num_kv_heads", "an even number: heads are paired")
    return Component(attend_in_pairs)
