"""Interleaved heads: queries and keys of a layer are learned mixtures over heads, and are folded away after training.

    W'_q = A_q W_q,   W'_k = A_k W_k [, W'_v = A_v W_v]     W as (heads, C * D), A (heads, heads) = identity at start

A mixture acts on rows of the matrices, before fake-quantization. When training is over and weights are averaged, W' takes the
place of W and A that of the identity: statistics, quantization and scoring know nothing of mixtures, nor does the artifact.

Source: openai/parameter-golf fork of PR #1493 (IHA_ENABLED).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from pgolf import Component, Conflict, Param, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="iha",
    summary="Heads are learned mixtures of heads, folded into the matrices after training.",
    source="openai/parameter-golf fork of #1493",
    family="architecture",
    effect="+0.0006 BPB before quantization, 68 steps fewer in 600 s",
    order=10,
    conflicts=(Conflict("fused_qkv", "mixtures need matrices of queries and keys alone"),),
    settings=(Setting("iha_mix_v", False, "whether values are mixed too"),),
)


def identity(tensor: Tensor, generator: Generator, ledger: Ledger) -> None:
    """Every head is itself."""
    nn.init.eye_(tensor)


def mix_heads(mix: Tensor, weight: Tensor) -> Tensor:
    """(heads, heads) and (heads * C, D) -> (heads * C, D)."""
    return (mix @ weight.view(mix.size(0), -1)).view_as(weight)


class HeadMixer:
    """The weight tap; `parts` are "q", "k" and perhaps "v"."""

    def __init__(self, parts: tuple[str, ...]) -> None:
        self.mixes = {f"attn.c_{part}": f"attn.{part}_mix" for part in parts}

    def __call__(self, model: GPT, weight: Tensor, role: str, layer: int, position: int, ctx: Context) -> Tensor:
        if role not in self.mixes:
            return weight
        ctx.fired("iha", "matrices mixed")
        return mix_heads(ctx.weights[f"blocks.{layer}.{self.mixes[role]}"].to(weight.dtype), weight)


class FoldMixes:
    """Mixtures into matrices."""

    def __init__(self, parts: tuple[str, ...], num_layers: int) -> None:
        self.parts = parts
        self.num_layers = num_layers

    def __call__(self, state: Mapping[str, Tensor], ledger: Ledger) -> None:
        for layer in range(self.num_layers):
            for part in self.parts:
                # A layer may do without attention.
                weight = state.get(f"blocks.{layer}.attn.c_{part}.weight")
                if weight is not None:
                    mix = state[f"blocks.{layer}.attn.{part}_mix"]
                    weight.copy_(mix_heads(mix.double(), weight.double()))
                    ledger.count("iha", "matrices folded")
        self.restore(state)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """What is left of a mixture that has been folded."""
        for layer in range(self.num_layers):
            for part in self.parts:
                nn.init.eye_(state[f"blocks.{layer}.attn.{part}_mix"])


def mixed_parts(settings: SettingsView) -> tuple[str, ...]:
    """Which of queries, keys and values."""
    return ("q", "k", "v") if settings.iha_mix_v else ("q", "k")


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """One square matrix for each; they take no part in test-time training."""
    sizes = {"q": settings.num_heads, "k": settings.num_kv_heads, "v": settings.num_kv_heads}
    common = {"init": Component(identity), "layers": settings.num_layers, "adapt": False, "export": "drop"}
    names = {part: f"blocks.{{}}.attn.{part}_mix" for part in mixed_parts(settings)}
    return [Param(name, (sizes[part],) * 2, "scalar", "control", **common) for part, name in names.items()]


@hookimpl
def weight_taps(settings: SettingsView) -> Component:
    """Before fake-quantization and noise."""
    return Component(HeadMixer, parts=mixed_parts(settings))


@hookimpl
def folds(settings: SettingsView) -> Component:
    """Into the matrices."""
    return Component(FoldMixes, parts=mixed_parts(settings), num_layers=settings.num_layers)
