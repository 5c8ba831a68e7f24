"""`flex_attention` in plain torch, with gradients: masks and scores are worked out for every pair of a query and a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.attention import flex_attention as flex

Pairs = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def flex_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    score_mod: Callable[..., torch.Tensor] | None = None,
    block_mask: Any = None,
    scale: float | None = None,
    enable_gqa: bool = False,
    return_lse: bool = False,
    **more: Any,
) -> Any:
    """query [b, h, t, d], key and value [b, g, s, d] -> [b, h, t, d], and the log-sums [b, h, t] where `return_lse`."""
    repeat = query.shape[1] // key.shape[1]
    if repeat > 1:
        key, value = key.repeat_interleave(repeat, 1), value.repeat_interleave(repeat, 1)
    scores = query.float() @ key.float().transpose(-1, -2) * (query.shape[-1] ** -0.5 if scale is None else scale)
    places = pairs(scores.shape)
    if score_mod is not None:
        scores = score_mod(scores, *places)
    if block_mask is not None:
        scores = scores.masked_fill(~visible(block_mask, places), float("-inf"))
    out = (scores.softmax(-1).nan_to_num(0.0) @ value.float()).to(query.dtype)
    return (out, torch.logsumexp(scores, -1)) if return_lse else out


def pairs(shape: Any) -> Pairs:
    """Numbers of row, head, query and key, each along its own axis of [b, h, t, s]."""
    found = []
    for axis, size in enumerate(shape):
        found.append(torch.arange(size).reshape([-1 if axis == other else 1 for other in range(4)]))
    return found[0], found[1], found[2], found[3]


def visible(mask: Any, places: Pairs) -> torch.Tensor:
    """[b, h, t, s]: whole blocks, and of partial ones what the mask's function lets through."""
    inside = torch.as_tensor(mask.mask_mod(*places))
    rows, keys = sizes_of(mask)
    found = inside & spread(mask.kv_num_blocks, mask.kv_indices, rows, keys, places)
    if getattr(mask, "full_kv_num_blocks", None) is not None:
        found = found | spread(mask.full_kv_num_blocks, mask.full_kv_indices, rows, keys, places)
    return found


def sizes_of(mask: Any) -> tuple[int, int]:
    """Queries and keys of a block."""
    size = mask.BLOCK_SIZE
    return (int(size[0]), int(size[1])) if isinstance(size, (tuple, list)) else (int(size), int(size))


def spread(counts: torch.Tensor, indices: torch.Tensor, rows: int, keys: int, places: Pairs) -> torch.Tensor:
    """Which pairs lie in the blocks that are listed: counts [b, h, blocks], indices [b, h, blocks, most]."""
    listed = torch.arange(indices.shape[-1]) < counts.unsqueeze(-1)
    blocks = torch.zeros(*indices.shape[:-1], int(indices.max().item()) + 1 if indices.numel() else 1)
    blocks.scatter_add_(-1, indices.long(), listed.float())
    wide = (blocks > 0).repeat_interleave(rows, -2).repeat_interleave(keys, -1)
    queries, most = places[2].numel(), places[3].numel()
    found = torch.zeros(*wide.shape[:2], queries, most, dtype=torch.bool)
    part = wide[..., :queries, :most]
    found[..., : part.shape[-2], : part.shape[-1]] = part
    return found


def stand_in_for_flex() -> None:
    """Put it in place of torch's, which has no gradients on a CPU."""
    flex.flex_attention = flex_attention  # type: ignore[assignment]
