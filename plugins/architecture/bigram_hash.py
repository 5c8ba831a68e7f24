"""BigramHash: a hashed table of token pairs, and with `trigram` of triples, is added to the token embedding.

    index_t = ((36313 id_t) xor (27191 id_{t-1})) mod (N-1)  for t >= 1,   index_0 = N-1
    third_t = ((36313 id_t) xor (27191 id_{t-1}) xor (51497 id_{t-2})) mod (N-1)  for t >= 2, before that N-1
    x <- E[ids] + s * ((T[index] [+ T[third]]) P^T),   T (N, b) = 0,  s = .05,  P (D, b) as the initializer says, never zero

A zero table times a zero projection would have no gradient, so P must not start at zero. Where documents are told
apart (batch field "starts" or "documents"), a pair or triple that reaches over a document's first token has row N-1.

Source: openai/parameter-golf PR #162; 3072 x 112 in PR #1019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from pgolf import Component, Param, Plugin, Setting, hookimpl
from pgolf.runtime.layers import document_begins
from pgolf.runtime.parameters import constant, zeros

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="bigram_hash",
    summary="Hashed table of token pairs added to the embedding.",
    source="openai/parameter-golf#162",
    family="architecture",
    effect="-0.003 to -0.005 BPB at vocabulary 1024",
    settings=(
        Setting("bigram_vocab_size", 2048, "rows of the table", minimum=2),
        Setting("bigram_dim", 128, "width of the table", minimum=1),
        Setting("trigram", False, "whether triples of tokens look up the table too"),
    ),
)


class BigramHash:
    """ids_BT -> the addend x_BTD."""

    def __init__(self, rows: int, trigram: bool) -> None:
        self.rows = rows
        self.trigram = trigram

    def index(self, ids_BT: Tensor, ctx: Context, back: int) -> Tensor:
        """Row of the table for the token and `back` (1 or 2) before it, at every position, (B,T)."""
        mixed = torch.bitwise_xor(36313 * ids_BT[:, back:], 27191 * ids_BT[:, back - 1 : -1])
        if back == 2:
            mixed = torch.bitwise_xor(mixed, 51497 * ids_BT[:, :-2])
        index = F.pad(mixed % (self.rows - 1), (back, 0), value=self.rows - 1)
        begins = document_begins(ctx)
        if begins is not None:
            over = begins if back == 1 else begins | F.pad(begins[:, :-1], (1, 0))
            index = index.masked_fill(over, self.rows - 1)
        return index

    def __call__(self, model: GPT, ids_BT: Tensor, ctx: Context) -> Tensor:
        ctx.fired("bigram_hash", "lookups")
        table = ctx.weights["bigram.embed.weight"]
        rows = F.embedding(self.index(ids_BT, ctx, 1), table)
        if self.trigram:
            rows = rows + F.embedding(self.index(ids_BT, ctx, 2), table)
        projected = F.linear(rows, ctx.weights["bigram.proj.weight"].to(rows.dtype))
        return projected * ctx.weights["bigram.scale"].to(rows.dtype)


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """Table, projection, scale."""
    rows, width = settings.bigram_vocab_size, settings.bigram_dim
    return [
        Param("bigram.embed.weight", (rows, width), "embed", "aux", init=Component(zeros), dtype="activation"),
        Param("bigram.proj.weight", (settings.model_dim, width), "scalar", "aux"),
        Param("bigram.scale", (), "scalar", "control", init=Component(constant, value=0.05)),
    ]


@hookimpl
def stem_terms(settings: SettingsView) -> Component:
    """Added before the norm."""
    return Component(BigramHash, rows=settings.bigram_vocab_size, trigram=settings.trigram)
