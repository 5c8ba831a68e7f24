"""BigramHash, first form: a hashed table of token pairs, projected, is added to the token embedding without a scale.

    index_t = (92821 id_{t-1} + id_t) mod N,  id_{-1} = 0
    x <- E[ids] + T[index] P^T,   T (N, b) ~ N(0, .01^2),  P (D, b) = 0 at start

P is a matrix like those of the blocks: weight taps and the matrix optimizer see it. Where documents are told
apart (batch field "starts" or "documents"), a document's first token has id 0 before it, as the first of a row has.

Source: record 2026-03-19_smeargate_orthoinit_muonwd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F

from pgolf import Component, Conflict, Param, Plugin, Setting, hookimpl
from pgolf.runtime.layers import document_begins, use_matrix
from pgolf.runtime.parameters import normal, zeros

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="bigram_hash_v1",
    summary="Hashed table of token pairs added to the embedding; first hash, no scale.",
    source="openai/parameter-golf record 2026-03-19_smeargate_orthoinit_muonwd",
    family="architecture",
    effect="-0.003 to -0.005 BPB at vocabulary 1024",
    conflicts=(Conflict("bigram_hash", "both add a table of token pairs"),),
    settings=(
        Setting("bigram_hash_buckets", 4096, "rows of the table", minimum=1),
        Setting("bigram_hash_dim", 128, "width of the table", minimum=1),
    ),
)


class BigramHashV1:
    """ids_BT -> the addend x_BTD."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def index(self, ids_BT: Tensor, ctx: Context) -> Tensor:
        """Row of the table for every position, (B,T)."""
        before = F.pad(ids_BT[:, :-1], (1, 0))
        begins = document_begins(ctx)
        if begins is not None:
            before = before.masked_fill(begins, 0)
        return (92821 * before + ids_BT) % self.rows

    def __call__(self, model: GPT, ids_BT: Tensor, ctx: Context) -> Tensor:
        ctx.fired("bigram_hash_v1", "lookups")
        rows = F.embedding(self.index(ids_BT, ctx), ctx.weights["bigram_hash.table.weight"])
        return use_matrix(model, ctx.weights["bigram_hash.proj.weight"], rows, "bigram_hash.proj", 0, 0, ctx)


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """Table and projection."""
    rows, width = settings.bigram_hash_buckets, settings.bigram_hash_dim
    start, shape = Component(normal, std=0.01), (settings.model_dim, width)
    tap = "bigram_hash.proj"
    return [
        Param("bigram_hash.table.weight", (rows, width), "embed", "aux", init=start, dtype="activation"),
        Param("bigram_hash.proj.weight", shape, "matrix", "aux", init=Component(zeros), tap=tap),
    ]


@hookimpl
def stem_terms(settings: SettingsView) -> Component:
    """Added before any mixing and the norm."""
    return Component(BigramHashV1, rows=settings.bigram_hash_buckets)
