"""Partial key offset: the unrotated part of each key is that of the position before, so one layer can do induction.

    k_t[rope_dims:] <- k_{t-1}[rope_dims:]   for t >= 1, after rotation; the first key stays

Where the whole head rotates, the upper half of each key is taken from the position before, rotation and all.
Every key takes its predecessor's *old* value: a true shift. A slice assignment in place overlaps itself and is not that.
Where documents are told apart (batch field "starts" or "documents"), the first token of one keeps its own key. With windowed
attention the shift acts on the layers without a window.

Source: KellerJordan/modded-nanogpt; openai/parameter-golf PR #1512 (fork).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.layers import document_begins

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="pko",
    summary="Keys look one position back in their unrotated part.",
    source="openai/parameter-golf#1512",
    family="architecture",
    effect="small gain in PR #1512; +0.0007 BPB on PR #1493; -0.033 in the stack of PR #1855 after 100 s of half an H200 "
    "(proxy text, one pair); test-time training gains as much with it as without (.0108 and .0088; .0107 and .0094), so the "
    "+0.02 of a public run was a copy that overlaps itself",
    order=20,
    requires=("partial_rope|ntk_rope",),
)


class PartialKeyOffset:
    """Shift by one on layers >= first_layer."""

    def __init__(self, offset: int, first_layer: int) -> None:
        self.offset = offset
        self.first_layer = first_layer

    def __call__(
        self, model: GPT, q_BTHC: Tensor, k_BTKC: Tensor, n_BTD: Tensor, layer: int, position: int, ctx: Context
    ) -> tuple[Tensor, Tensor]:
        if layer < self.first_layer:
            return q_BTHC, k_BTKC
        ctx.fired("pko", "layers")
        still = k_BTKC[..., self.offset :]
        shifted = torch.cat((still[:, :1], still[:, :-1]), dim=1)
        begins = document_begins(ctx)
        if begins is not None:
            shifted = torch.where(begins[:, :, None, None], still, shifted)
        return q_BTHC, torch.cat((k_BTKC[..., : self.offset], shifted), dim=-1)


@hookimpl
def query_key_taps(settings: SettingsView) -> Component:
    """All layers, or those without a window."""
    offset = settings.rope_dims if 0 < settings.rope_dims < settings.head_dim else settings.head_dim // 2
    first = 0
    if "swa" in settings.plugins:
        full = settings.swa_full_attn_layers
        settings.require(full > 0, "swa_full_attn_layers", "at least 1: pko shifts keys on layers without a window")
        first = settings.num_layers - full
    return Component(PartialKeyOffset, offset=offset, first_layer=first)
