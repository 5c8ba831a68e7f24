"""What the ternary record rounds to float8 in training: rows that are looked up and both projections of the embedding.

The head multiplies by the unrounded embedding, other than the artifact's; `fp_storage` rounds what is stored.
Source: openai/parameter-golf, record 2026-03-24_74M_Ternary_UNet_FP8.
"""

import torch
import torch.nn.functional as F

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="float8_record",
    summary="Float8 where the ternary record has it in training.",
    source="openai/parameter-golf, record 2026-03-24_74M_Ternary_UNet_FP8",
    family="quantizer",
)


def rounded(tensor):
    """The nearest float8 values."""
    return tensor.detach().to(torch.float8_e4m3fn).to(tensor.dtype)


def round_rows(model, ids_BT, ctx):
    """What rounding adds to the rows of a batch."""
    rows = F.embedding(ids_BT, ctx.weights["tok_emb.weight"]).detach()
    ctx.fired("float8_record", "stems")
    return rounded(rows) - rows


def round_projections(model, weight, role, layer, position, ctx):
    """(out, in) -> (out, in), gradient straight through."""
    if not role.startswith("embed_proj"):
        return weight
    return weight + rounded(weight) - weight.detach()


@hookimpl
def stem_terms(settings) -> Component:
    """In the width of the table."""
    return Component(round_rows)


@hookimpl
def weight_taps(settings) -> Component:
    """Before the projections are used."""
    return Component(round_projections)
