"""The attention branch: projections, value terms, QK norm, rotation, taps, kernel, output taps, projection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from pgolf.runtime.layers import adapt, rms_norm
from pgolf.runtime.segments import attend_in_segments, run_core

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT


def attention_branch(model: GPT, n_BTD: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
    """Causal grouped-query attention of one layer; query head h reads key/value head h // (H/K)."""
    program, settings = model.program, model.settings
    if program.qkv_projection is not None:
        q, k, v = program.qkv_projection(model, n_BTD, layer, position, ctx)
    else:
        q = model.project(n_BTD, "attn.c_q", layer, position, ctx)
        k = model.project(n_BTD, "attn.c_k", layer, position, ctx)
        v = model.project(n_BTD, "attn.c_v", layer, position, ctx)
    for term in program.value_terms:
        v = term(model, v, n_BTD, layer, position, ctx)
    q = program.rotary(model, rms_norm(torch.unflatten(q, 2, (settings.num_heads, -1))), layer, position, ctx)
    k = program.rotary(model, rms_norm(torch.unflatten(k, 2, (settings.num_kv_heads, -1))), layer, position, ctx)
    v = torch.unflatten(v, 2, (settings.num_kv_heads, -1))
    for tap in program.query_key_taps:
        q, k = tap(model, q, k, n_BTD, layer, position, ctx)
    if program.base_update is not None and "segments" in ctx.fields:
        y = attend_in_segments(model, q, k, v, layer, position, ctx)
    else:
        y = run_core(model, q, k, v, layer, position, ctx)
    for change in program.attention_outputs:
        y = change(model, y, v, n_BTD, layer, position, ctx)
    y = model.project(y.flatten(2), "attn.proj", layer, position, ctx)
    return adapt(y, n_BTD, "attn", position, ctx)


def dense_attention(q_BTHC: Tensor, k_BTKC: Tensor, v_BTKC: Tensor, window: int, ctx: Context) -> Tensor:
    """Scaled dot-product attention; `window` >= 0 lets a query see itself and that many keys before it, -1 all."""
    q = q_BTHC.transpose(1, 2)
    k = k_BTKC.transpose(1, 2)
    v = v_BTKC.transpose(1, 2)
    if window < 0 or window >= q.size(2) - 1:
        grouped = q.size(1) != k.size(1)
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=grouped).transpose(1, 2)
    return masked_attention(q_BTHC, k_BTKC, v_BTKC, window_mask(q.size(2), window, q.device, ctx))


def masked_attention(q_BTHC: Tensor, k_BTKC: Tensor, v_BTKC: Tensor, mask: Tensor) -> Tensor:
    """Scaled dot-product attention where `mask`, (T,T) or (B,1,T,T) bool, is true."""
    q = q_BTHC.transpose(1, 2)
    k = k_BTKC.transpose(1, 2)
    v = v_BTKC.transpose(1, 2)
    # The kernels that take a mask know no groups, so key/value heads are repeated.
    group = q.size(1) // k.size(1)
    k = k.repeat_interleave(group, 1)
    v = v.repeat_interleave(group, 1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2)


def window_mask(length: int, window: int, device: torch.device, ctx: Context) -> Tensor:
    """(T,T) bool, true where query t may see key s: t - window <= s <= t; cached for the forward."""
    key = ("window", window)
    if key not in ctx.memo:
        t = torch.arange(length, device=device)
        distance = t[:, None] - t[None, :]
        ctx.memo[key] = (distance >= 0) & (distance <= window)
    mask: Tensor = ctx.memo[key]
    return mask
