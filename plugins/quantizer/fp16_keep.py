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
from pgolf.runtime.parameters import canonical_tensors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import Parts, Statistics
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.session import Session
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


class KeptPlan:
    """Quantization plan: class "fp16" for every tensor whose name holds one of `patterns`."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self.patterns = patterns

    def prepare(self, session: Session) -> None:
        """ValueError for a pattern that fits no tensor, before training."""
        names = [name for name, _, _ in canonical_tensors(session.parameters)]
        for pattern in self.patterns:
            if not any(pattern in name for name in names):
                raise ValueError(f"fp16_keep_name_patterns: {pattern!r} is in no tensor's name, such as {names[0]}")

    def __call__(self, state: Mapping[str, Tensor], statistics: Statistics, ledger: Ledger) -> dict[str, str]:
        """canonical name -> "fp16"."""
        kept = [name for name in state if any(pattern in name for pattern in self.patterns)]
        ledger.count("fp16_keep", "tensors", len(kept))
        return dict.fromkeys(kept, "fp16")


@hookimpl
def quantization_plan(settings: SettingsView) -> Component:
    """After other plans: what is kept is kept."""
    patterns = tuple(part.strip() for part in settings.fp16_keep_name_patterns.split(",") if part.strip())
    settings.require(bool(patterns), "fp16_keep_name_patterns", "at least one part of a name, such as tok_emb")
    return Component(KeptPlan, patterns=patterns)


@hookimpl
def tensor_recipes(settings: SettingsView) -> dict[str, Component]:
    """The class "fp16"."""
    return {"fp16": Component(Half)}
