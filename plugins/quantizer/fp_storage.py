"""Embeddings in eight or four bits of floating or fixed point, which training sees too.

    fp8   W' = e4m3(W), without a scale: three bits of fraction down to 2^-6, steps of 2^-9 below, at most 448
    fp4   W' = s q,  s_i = max_j |W_ij| / 7 for each row,  q = round(W / s) in [-7, 7], two codes in a byte
    W_fwd = W + stopgrad(W' - W) in training, where rows are looked up, in the head, and with the class "aux" in projections
    outside the layers

fp4 rounds with s in float32 and stores float16, so training and artifact agree but for that. What is no matrix is kept in
float16.

Source: openai/parameter-golf, record 2026-03-24_74M_Ternary_UNet_FP8 (FP_STORAGE).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.quantize import fake_quantize

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import Parts, TensorRecipe
    from pgolf.runtime.context import Context
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="fp_storage",
    summary="The embedding as e4m3 floats or four-bit codes, in training too.",
    source="openai/parameter-golf, record 2026-03-24_74M_Ternary_UNet_FP8",
    family="quantizer",
    effect="fp8 costs .002 to .003 BPB, fp4 .06 (1.1570 record)",
    settings=(
        Setting("fp_storage", "fp8", "how matrices are stored", choices=("fp8", "fp4")),
        Setting("fp_storage_classes", "embed", "quantization classes it takes, separated by commas"),
    ),
)


class Float8:
    """Tensor recipe; the part "float8" holds bit patterns as uint8."""

    name = "fp8"

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Parts:
        """A matrix, or another tensor in float16."""
        if tensor.ndim != 2:
            return {"kept": tensor.half()}
        ledger.count("fp_storage", "matrices stored")
        # Beyond 448 some versions saturate, others give no number.
        return {"float8": tensor.float().clamp(-448, 448).to(torch.float8_e4m3fn).view(torch.uint8)}

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        return parts["kept"].to(kind) if "kept" in parts else parts["float8"].view(torch.float8_e4m3fn).to(kind)


class FourBits:
    """Tensor recipe; the part "pairs" holds two codes in a byte, plus 8 each, the first one in the low half."""

    name = "fp4"

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Parts:
        """A matrix, or another tensor in float16; an odd number of codes is filled up with 0."""
        if tensor.ndim != 2 or len(tensor) < 2 or not tensor.numel():
            return {"kept": tensor.half()}
        ledger.count("fp_storage", "matrices stored")
        weight = tensor.float()
        step = (weight.abs().amax(1) / 7).clamp_min(1e-8)
        codes = (weight / step[:, None]).round().clamp(-7, 7).flatten() + 8
        pairs = F.pad(codes, (0, codes.numel() % 2), value=8.0).view(-1, 2).to(torch.uint8)
        return {"pairs": pairs[:, 0] | pairs[:, 1] << 4, "step": step.half()}

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        if "kept" in parts:
            return parts["kept"].to(kind)
        step, pairs = parts["step"].float(), parts["pairs"]
        codes = torch.stack((pairs & 15, pairs >> 4), 1).flatten().float() - 8
        columns = len(codes) // len(step)
        return (codes[: columns * len(step)].view(-1, columns) * step[:, None]).to(kind)


def quantize_outside(
    model: GPT,
    weight: Tensor,
    role: str,
    layer: int,
    position: int,
    ctx: Context,
    recipe: TensorRecipe,
    head: bool,
    others: bool,
) -> Tensor:
    """A matrix outside the layers as it will be stored: the head, and `others`."""
    if role.startswith(("attn.", "mlp.")) or not ctx.training or not (head if role == "head" else others):
        return weight
    ctx.fired("fp_storage", "matrices in training")
    return fake_quantize(recipe, role, weight)


def quantize_rows(model: GPT, ids_BT: Tensor, ctx: Context, recipe: TensorRecipe) -> Tensor:
    """What storing them does to the rows that are looked up; both recipes treat every row apart."""
    rows = F.embedding(ids_BT.flatten(), ctx.weights["tok_emb.weight"]).detach()
    if not ctx.training:
        return torch.zeros_like(rows).view(*ids_BT.shape, -1)
    ctx.fired("fp_storage", "stems")
    return (fake_quantize(recipe, "tok_emb.weight", rows) - rows).view(*ids_BT.shape, -1)


def storage(settings: SettingsView) -> Component:
    """The chosen recipe."""
    return Component(Float8 if settings.fp_storage == "fp8" else FourBits)


def classes(settings: SettingsView) -> list[str]:
    """The classes it takes."""
    return [name.strip() for name in settings.fp_storage_classes.split(",")]


@hookimpl
def tensor_recipes(settings: SettingsView) -> dict[str, Component]:
    """The classes of `fp_storage_classes`."""
    return dict.fromkeys(classes(settings), storage(settings))


@hookimpl
def weight_taps(settings: SettingsView) -> Component | None:
    """The head and projections, where their matrices are stored so."""
    head = ("head" if "untied_head" in settings.plugins else "embed") in classes(settings)
    others = "aux" in classes(settings)
    return Component(quantize_outside, recipe=storage(settings), head=head, others=others) if head or others else None


@hookimpl
def stem_terms(settings: SettingsView) -> Component | None:
    """The embedding."""
    return Component(quantize_rows, recipe=storage(settings)) if "embed" in classes(settings) else None
