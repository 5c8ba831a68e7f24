"""Attention inside the documents of packed rows: a query sees the keys before it that belong to its own document.

    query t sees keys s <= t back to where its document begins: where documents[b, t] differs from documents[b, t-1]

`ctx.fields["documents"]` (B,T) holds a number for every token, the same along a document; `document_numbers` gives it.
Without it this is causal attention over whole rows, and so it is where the engine lays the stretches of a row ("segments")
side by side itself. Rotary positions run on through a row, which changes nothing: only their differences matter.

On a GPU a kernel for packed rows gets the places where documents begin: FlashAttention 3, else the one that PyTorch has; the
log says which. On a CPU every document is attended to on its own, and in a compiled forward a mask says what is seen.

Source: openai/parameter-golf PR #1530; in all later records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.attention import masked_attention
from pgolf.runtime.kernels import attend, find_flash, find_packed

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.architecture import Flash, Packed
    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="varlen_attention",
    summary="Full causal attention that stays inside the documents of packed rows.",
    source="openai/parameter-golf#1530",
    family="architecture",
    effect="speed: 2.8 ms for a layer of 98,304 packed tokens on an H200, forward and backward; a mask takes 278",
)


class VarlenAttention:
    """q_BTHC, k_BTKC, v_BTKC -> y_BTHC."""

    def __init__(self) -> None:
        self.flash: Flash | None = None
        self.packed: Packed | None = None

    def prepare(self, session: Session) -> str:
        """Choose the kernel for the run's device; returns its name for the log."""
        name, self.flash = find_flash(session.world.device)
        packed, self.packed = find_packed(session.world.device)
        if self.packed is not None:
            # How many documents a row has is known only when it is there: the compiled forward asks the GPU once.
            torch._dynamo.config.capture_dynamic_output_shape_ops = True
            torch._dynamo.config.capture_scalar_outputs = True
        return f"{packed} (packed rows), {name} (whole rows)"

    def __call__(self, model: GPT, q: Tensor, k: Tensor, v: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
        if "documents" not in ctx.fields or "segments" in ctx.fields:
            ctx.fired("varlen_attention", "layers over whole rows")
            return attend(self.flash, q, k, v, -1, ctx)
        ctx.fired("varlen_attention", "layers inside documents")
        if self.packed is not None:
            starts, longest = find_stretches(ctx)
            heads = (part.flatten(0, 1) for part in (q, k, v))
            y = self.packed(*heads, starts, starts, longest, longest, causal=True)
            return (y[0] if isinstance(y, tuple) else y).view(q.shape)
        if torch.compiler.is_compiling():
            return masked_attention(q, k, v, document_mask(ctx))
        rows = []
        for row, lengths in enumerate(document_lengths(ctx)):
            parts = (torch.split(part[row : row + 1], lengths, 1) for part in (q, k, v))
            rows.append(torch.cat([attend(self.flash, a, b, c, -1, ctx) for a, b, c in zip(*parts, strict=True)], 1))
        return torch.cat(rows)


def find_stretches(ctx: Context) -> tuple[Tensor, int]:
    """Where documents begin in all rows one after the other, then the end, int32; and the length of the longest."""
    if "stretches" not in ctx.memo:
        documents = ctx.fields["documents"]
        begins = F.pad(documents[:, 1:] != documents[:, :-1], (1, 0), value=True).flatten()
        starts = F.pad(begins.nonzero()[:, 0], (0, 1), value=begins.numel())
        ctx.memo["stretches"] = starts.int(), int(starts.diff().max())
    found: tuple[Tensor, int] = ctx.memo["stretches"]
    return found


def document_lengths(ctx: Context) -> list[list[int]]:
    """Lengths of the documents of every row; found once in a forward, because that waits for the GPU."""
    if "document lengths" not in ctx.memo:
        rows = ctx.fields["documents"].cpu()
        ctx.memo["document lengths"] = [torch.unique_consecutive(row, return_counts=True)[1].tolist() for row in rows]
    lengths: list[list[int]] = ctx.memo["document lengths"]
    return lengths


def document_mask(ctx: Context) -> Tensor:
    """(B,1,T,T) bool, true where query t may see key s."""
    if "document mask" not in ctx.memo:
        documents = ctx.fields["documents"]
        t = torch.arange(documents.size(1), device=documents.device)
        runs = (documents[:, 1:] != documents[:, :-1]).cumsum(1)
        runs = F.pad(runs, (1, 0))
        same = runs[:, None, :, None] == runs[:, None, None, :]
        ctx.memo["document mask"] = same & (t[:, None] >= t)
    mask: Tensor = ctx.memo["document mask"]
    return mask


@hookimpl
def attention_kernel(settings: SettingsView) -> Component:
    """Takes the place of attention over whole rows."""
    return Component(VarlenAttention)
