"""Some tensors stay in float16: those whose names hold one of the given patterns are not quantized.

    W' = float16(W)

The public scripts kept the tied embedding (its errors count twice, in the stem and in the head), and the key projections of the
last layers. Two bytes a weight: about half a megabyte more than int8 for an embedding of 1024 x 512. Fake quantization leaves
the same tensors alone.

Source: openai/parameter-golf, records 2026-03-18_FP16Embed_WD3600 (FP16_EMBED_EXPORT) and #162 (FP16_KEEP_NAME_PATTERNS).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.name_plan import NamePlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import Parts
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="fp16_keep",
    summary="Tensors whose names match a pattern are stored in float16.",
    source="openai/parameter-golf#162, record 2026-03-18_FP16Embed_WD3600",
    family="quantizer",
    effect="quantization gap .007 -> .0005 BPB with the embedding, for half a megabyte (1.2197 record)",
    order=90,
    settings=(
        Setting(
            "fp16_keep_name_patterns",
            "tok_emb",
            "parts of names, separated by commas, such as tok_emb,blocks.8.attn.c_k",
        ),
    ),
)


class Half:
    """Tensor recipe."""

    name = "fp16"

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Parts:
        """The tensor in float16."""
        return {"kept": tensor.half()}

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        return parts["kept"].to(kind)


@hookimpl
def quantization_plan(settings: SettingsView) -> Component:
    """After other plans: what is kept is kept."""
    patterns = tuple(part.strip() for part in settings.fp16_keep_name_patterns.split(",") if part.strip())
    settings.require(bool(patterns), "fp16_keep_name_patterns", "at least one part of a name, such as tok_emb")
    named = {"plugin": "fp16_keep", "setting": "fp16_keep_name_patterns", "patterns": patterns}
    return Component(NamePlan, **named, quant="fp16", large=False)


@hookimpl
def tensor_recipes(settings: SettingsView) -> dict[str, Component]:
    """The class "fp16"."""
    return {"fp16": Component(Half)}
