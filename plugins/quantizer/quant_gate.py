"""Gates of attention heads in int8: small matrices that the size rule would keep in float16.

    step_i = float16(max_j |W_ij| / 127)        q_ij = round(W_ij / step_i)        for 32 to 8,192 elements

Rows of zeros have step 1. The saving is a byte for each element of a gate: tens of kilobytes for dense gates of every layer,
one for sparse ones.

Source: openai/parameter-golf#1736 (GATED_ATTN_QUANT_GATE).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.quantize import integer_codes, restore_tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import Parts, Statistics
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="quant_gate",
    summary="int8 per row for the matrices of attention gates.",
    source="openai/parameter-golf#1736",
    family="quantizer",
    requires=("dense_attention_gate|sparse_attention_gate",),
    effect="-45 kB raw for dense gates, about -1 kB for sparse ones",
)


class GateRecipe:
    """Tensor recipe."""

    name = "int8"

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Parts:
        """Codes and steps of a matrix."""
        weight = tensor.float()
        step = (weight.abs().amax(1) / 127).half()
        step = torch.where(step > 0, step, torch.ones_like(step))
        ledger.count("quant_gate", "gates")
        return {"codes": integer_codes(weight, step.float(), 127), "step": step}

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        return restore_tensor(parts, kind)


def plan_gates(state: Mapping[str, Tensor], statistics: Statistics, ledger: Ledger) -> dict[str, str]:
    """Class "gate" for every gate of a size that pays."""
    return {
        name: "gate"
        for name, tensor in state.items()
        if name.endswith(".attn_gate_w") and tensor.ndim == 2 and 32 <= tensor.numel() <= 8192
    }


@hookimpl
def quantization_plan(settings: SettingsView) -> Component:
    """Before the rule for small tensors."""
    return Component(plan_gates)


@hookimpl
def tensor_recipes(settings: SettingsView) -> dict[str, Component]:
    """The class "gate"."""
    return {"gate": Component(GateRecipe)}
