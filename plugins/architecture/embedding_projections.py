"""A tied embedding narrower than the stream, with a projection up after the stem's norm and one down before the head.

    x = rms(E[ids]) U^T,   E (V, e), U (D, e)     logits = (h R^T) E^T,   R (e, D)

h is the normed final hidden state. Mixes of the raw embedding act at width e.

Source: openai/parameter-golf PR #1394 and PR #1493 (EMBEDDING_DIM).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Param, Plugin, Setting, hookimpl
from pgolf.runtime.layers import use_matrix
from pgolf.runtime.parameters import normal

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

WIDE = "its addend is as wide as the stream, the embedding here is not"
PLUGIN = Plugin(
    name="embedding_projections",
    summary="Narrow tied embedding, projected to the stream after its norm.",
    source="openai/parameter-golf#1394",
    family="architecture",
    order=10,
    conflicts=(
        Conflict("bigram_hash", WIDE),
        Conflict("bigram_hash_v1", WIDE),
        Conflict("smear_gate_v1", "its gates are as many as the channels of the stream"),
    ),
    settings=(
        Setting("embedding_dim", 256, "width of the embedding", minimum=1),
        Setting("tied_embed_init_std", 0.005, "standard deviation of the embedding at start", minimum=0),
    ),
)


def project_up(model: GPT, x_BTD: Tensor, ids_BT: Tensor, ctx: Context) -> Tensor:
    """(B, T, e) -> x_BTD."""
    return use_matrix(model, ctx.weights["embed_proj.weight"], x_BTD, "embed_proj", 0, 0, ctx)


def narrow_head(model: GPT, x_BTD: Tensor, ctx: Context) -> Tensor:
    """h_BTD -> logits_BTV."""
    ctx.fired("embedding_projections", "heads")
    narrow = use_matrix(model, ctx.weights["head_proj.weight"], x_BTD, "head_proj", 0, 0, ctx)
    return use_matrix(model, ctx.weights["tok_emb.weight"], narrow, "head", 0, 0, ctx)


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """The embedding, and two matrices for the matrix optimizer."""
    width, dim, std = settings.embedding_dim, settings.model_dim, settings.tied_embed_init_std
    settings.require(std > 0, "tied_embed_init_std", "more than 0: no gradient leaves an embedding of zeros")
    settings.require(width < dim, "embedding_dim", f"less than model_dim={dim}, or nothing is saved")
    table, start = (settings.vocab_size, width), Component(normal, std=std)
    return [
        Param("tok_emb.weight", table, "embed", "embed", init=start, dtype="activation", tap="head"),
        Param("embed_proj.weight", (dim, width), "matrix", "aux", tap="embed_proj"),
        Param("head_proj.weight", (width, dim), "matrix", "aux", tap="head_proj"),
    ]


@hookimpl
def stem_normed(settings: SettingsView) -> Component:
    """Before other mixes of the normed embedding, which act at the stream's width."""
    return Component(project_up)


@hookimpl
def head(settings: SettingsView) -> Component:
    """The embedding again."""
    return Component(narrow_head)
