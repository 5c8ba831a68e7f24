"""FlashAttention's functions in plain torch: heads in the third axis, fewer key heads, windows, sequences of many lengths."""

from __future__ import annotations

import types
from typing import Any

import torch


def flash_attn_func(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    *args: Any,
    softmax_scale: float | None = None,
    causal: bool = False,
    window_size: tuple[int, int] = (-1, -1),
    softcap: float = 0.0,
    **more: Any,
) -> torch.Tensor:
    """q [b, t, h, d], k and v [b, s, g, d] -> [b, t, h, d]."""
    repeat = q.shape[2] // k.shape[2]
    queries, keys, values = (part.transpose(1, 2) for part in (q, k, v))
    if repeat > 1:
        keys, values = keys.repeat_interleave(repeat, 1), values.repeat_interleave(repeat, 1)
    scale = q.shape[-1] ** -0.5 if softmax_scale is None else softmax_scale
    scores = queries.float() @ keys.float().transpose(-1, -2) * scale
    if softcap:
        scores = softcap * torch.tanh(scores / softcap)
    seen = visible(q.shape[1], k.shape[1], causal, window_size)
    weights = scores.masked_fill(~seen, float("-inf")).softmax(-1).nan_to_num(0.0)
    return (weights @ values.float()).transpose(1, 2).to(q.dtype)


def visible(queries: int, keys: int, causal: bool, window: Any) -> torch.Tensor:
    """[queries, keys]: which keys a query sees; the last query stands at the last key."""
    at = torch.arange(queries).unsqueeze(1) + keys - queries
    key = torch.arange(keys).unsqueeze(0)
    left, right = window if isinstance(window, (tuple, list)) else (-1, -1)
    seen = torch.ones(queries, keys, dtype=torch.bool)
    if causal:
        right = 0 if right < 0 else min(right, 0)
    if left is not None and left >= 0:
        seen &= key >= at - left
    if right is not None and right >= 0:
        seen &= key <= at + right
    return seen


def flash_attn_varlen_func(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    cu_seqlens_q: Any,
    cu_seqlens_k: Any = None,
    *args: Any,
    **more: Any,
) -> torch.Tensor:
    """q [tokens, h, d]; every sequence alone."""
    ends = cu_seqlens_q.tolist()
    key_ends = ends if cu_seqlens_k is None else cu_seqlens_k.tolist()
    more = {key: value for key, value in more.items() if key in ("softmax_scale", "causal", "window_size", "softcap")}
    parts = []
    for number in range(len(ends) - 1):
        rows, keys = slice(ends[number], ends[number + 1]), slice(key_ends[number], key_ends[number + 1])
        if ends[number + 1] > ends[number]:
            parts.append(flash_attn_func(q[rows][None], k[keys][None], v[keys][None], **more)[0])
    found = torch.cat(parts) if parts else torch.zeros_like(q)
    missing = q.shape[0] - found.shape[0]
    return torch.cat([found, q.new_zeros(missing, *q.shape[1:])]) if missing else found


def flash_attn_qkvpacked_func(qkv: torch.Tensor, *args: Any, **more: Any) -> torch.Tensor:
    """qkv [b, t, 3, h, d]."""
    return flash_attn_func(qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2], *args, **more)


def attention_module(name: str) -> types.ModuleType:
    """A module of any name with these functions."""
    found = types.ModuleType(name)
    for function in (flash_attn_func, flash_attn_varlen_func, flash_attn_qkvpacked_func):
        setattr(found, function.__name__, function)
    found.__dict__.update(flash_attn_3_func=flash_attn_func, __version__="3.0.0", __path__=[])
    return found
