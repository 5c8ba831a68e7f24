"""Partial key offset: the unrotated part of each key is that of the position before, so one layer can do induction.

    k_t[rope_dims:] <- k_{t-1}[rope_dims:]   for t >= 1, after rotation; the first key stays

Every key takes its predecessor's *old* value: a true shift. A slice assignment in place overlaps itself and is not that.
Where documents are packed (batch field "starts"), the first token of a document keeps its own key. With windowed
attention the shift acts on the layers without a window.

Source: KellerJordan/modded-nanogpt; openai/parameter-golf PR #1512 (fork).
"""

import torch

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="pko",
    summary="Keys look one position back in their unrotated part.",
    source="openai/parameter-golf#1512",
    family="architecture",
    effect="small gain in PR #1512; +0.0007 BPB on PR #1493",
    order=20,
    requires=("partial_rope",),
)


class PartialKeyOffset:
    """Shift by one on layers >= first_layer."""

    def __init__(self, rope_dims, first_layer):
        self.rope_dims = rope_dims
        self.first_layer = first_layer

    def __call__(self, model, q_BTHC, k_BTKC, n_BTD, layer, position, ctx):
        if layer < self.first_layer:
            return q_BTHC, k_BTKC
        ctx.fired("pko", "layers")
        still = k_BTKC[..., self.rope_dims :]
        shifted = torch.cat((still[:, :1], still[:, :-1]), dim=1)
        if "starts" in ctx.fields:
            shifted = torch.where(ctx.fields["starts"][:, :, None, None], still, shifted)
        return q_BTHC, torch.cat((k_BTKC[..., : self.rope_dims], shifted), dim=-1)


@hookimpl
def query_key_taps(settings) -> Component:
    """All layers, or those without a window."""
    first = settings.num_layers - settings.swa_full_attn_layers if "swa" in settings.plugins else 0
    return Component(PartialKeyOffset, rope_dims=settings.rope_dims, first_layer=max(first, 0))
