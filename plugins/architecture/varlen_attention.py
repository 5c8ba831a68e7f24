"""Attention inside the documents of packed rows: a query sees the keys before it that belong to its own document.

    query t sees keys s <= t back to where its document begins: where documents[b, t] differs from documents[b, t-1]

`ctx.fields["documents"]` (B,T) holds a number for every token, the same along a document; `document_numbers` gives it.
Without it this is causal attention over whole rows, and so it is where the engine lays the stretches of a row ("segments")
side by side itself. Rotary positions run on through a row, which changes nothing: only their differences matter.

In an eager forward every document is attended to on its own, in a compiled one a mask says what is seen.

Source: openai/parameter-golf PR #1530; in all later records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.attention import masked_attention
from pgolf.runtime.kernels import attend, find_flash

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.architecture import Flash
    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="varlen_attention",
    summary="Full causal attention that stays inside the documents of packed rows.",
    source="openai/parameter-golf#1530",
    family="architecture",
)


class VarlenAttention:
    """q_BTHC, k_BTKC, v_BTKC -> y_BTHC."""

    def __init__(self) -> None:
        self.flash: Flash | None = None

    def prepare(self, session: Session) -> str:
        """Choose the kernel for the run's device; returns its name for the log."""
        name, self.flash = find_flash(session.world.device)
        return name

    def __call__(self, model: GPT, q: Tensor, k: Tensor, v: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
        if "documents" not in ctx.fields or "segments" in ctx.fields:
            ctx.fired("varlen_attention", "layers over whole rows")
            return attend(self.flash, q, k, v, -1, ctx)
        ctx.fired("varlen_attention", "layers inside documents")
        if torch.compiler.is_compiling():
            return masked_attention(q, k, v, document_mask(ctx))
        rows = []
        for row, lengths in enumerate(document_lengths(ctx)):
            parts = (torch.split(part[row : row + 1], lengths, 1) for part in (q, k, v))
            rows.append(torch.cat([attend(self.flash, a, b, c, -1, ctx) for a, b, c in zip(*parts, strict=True)], 1))
        return torch.cat(rows)


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
