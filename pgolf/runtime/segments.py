"""Attention inside stretches of one long row, by any attention kernel: the stretches are laid side by side for it.

Everything but attention still sees the row (1,N) as it is. Rotation is relative, so where a stretch stands changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT


class Segments(NamedTuple):
    """The batch field "segments".

    `rows` (S,W) int64: places in the row of each stretch, one stretch below the other, filled up on the right; `back` (N,):
    where in the flattened `rows` each place of the row is.
    """

    rows: torch.Tensor
    back: torch.Tensor


def attend_in_segments(
    model: GPT, q_1NHC: Tensor, k_1NKC: Tensor, v_1NKC: Tensor, layer: int, position: int, ctx: Context
) -> Tensor:
    """y_1NHC of the program's kernel; it is causal, so what fills up a stretch changes nothing."""
    rows, back = ctx.fields["segments"]
    q, k, v = q_1NHC[0][rows], k_1NKC[0][rows], v_1NKC[0][rows]
    return run_core(model, q, k, v, layer, position, ctx).flatten(0, 1)[back][None]


def run_core(
    model: GPT, q_BTHC: Tensor, k_BTKC: Tensor, v_BTKC: Tensor, layer: int, position: int, ctx: Context
) -> Tensor:
    """y_BTHC of the kernel, or of what stands around it."""
    if model.program.attention_core is not None:
        return model.program.attention_core(model, q_BTHC, k_BTKC, v_BTKC, layer, position, ctx)
    return run_kernel(model, q_BTHC, k_BTKC, v_BTKC, layer, position, ctx)


def run_kernel(
    model: GPT, q_BTHC: Tensor, k_BTKC: Tensor, v_BTKC: Tensor, layer: int, position: int, ctx: Context
) -> Tensor:
    """y_BTHC of the program's attention kernel, or of the batch field "attention" in its place; heads of any shape."""
    if model.program.calibration_source is not None and "attention" in ctx.fields:
        kept: Any = ctx.fields["attention"]
        y: Tensor = kept(model, q_BTHC, k_BTKC, v_BTKC, layer, position, ctx)
        return y
    return model.program.attention_kernel(model, q_BTHC, k_BTKC, v_BTKC, layer, position, ctx)


def find_starts(begins: Tensor, longest: int) -> list[int]:
    """Starts of the stretches of a row: 0, where `begins` (N,) holds, and `longest` after another start."""
    starts: list[int] = []
    for start in [0, *begins.nonzero().flatten().tolist(), len(begins)]:
        while starts and starts[-1] + longest < start:
            starts.append(starts[-1] + longest)
        if start < len(begins) and starts[-1:] != [start]:
            starts.append(start)
    return starts


def lay_side_by_side(starts: list[int], length: int, device: torch.device) -> Segments:
    """The index tensors for a row of `length` whose stretches start there."""
    sizes = torch.tensor([*starts, length]).diff()
    rows = (torch.tensor(starts)[:, None] + torch.arange(int(sizes.max()))).clamp(max=length - 1)
    inside = torch.arange(rows.size(1)) < sizes[:, None]
    return Segments(rows.to(device), inside.flatten().nonzero().flatten().to(device))
