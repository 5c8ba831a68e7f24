"""Queries, keys and values from one matrix: one product, one fake-quantization, one input statistic a layer.

    [q; k; v] = W n,   W (D + 2E, D): rows of all query heads, then of keys, then of values

Adapters stay at the sites "attn.c_q", "attn.c_k" and "attn.c_v". Steps and clips are per row and do not change; what goes
by whole matrices (orthogonalization, one class for each) sees one.

Source: openai/parameter-golf record 2026-03-24_74M_Ternary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Param, Plugin, hookimpl
from pgolf.runtime.layers import adapt

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="fused_qkv",
    summary="One matrix for queries, keys and values.",
    source="openai/parameter-golf record 2026-03-24_74M_Ternary_UNet_FP8_10L_8192BPE_YaRN_NeoMuon",
    family="architecture",
    effect="speed: 2 to 3 ms a step with ternary weights",
    conflicts=(Conflict("paired_muon", "pairs of heads are found by the names of matrices that are not there"),),
)


class FusedQkv:
    """n_BTD -> (q_BTD, k_BTE, v_BTE); `widths` are D, E and E."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        self.widths = widths

    def __call__(
        self, model: GPT, n_BTD: Tensor, layer: int, position: int, ctx: Context
    ) -> tuple[Tensor, Tensor, Tensor]:
        ctx.fired("fused_qkv", "layers")
        q, k, v = model.project(n_BTD, "attn.c_qkv", layer, position, ctx).split(self.widths, -1)
        return (
            adapt(q, n_BTD, "attn.c_q", position, ctx),
            adapt(k, n_BTD, "attn.c_k", position, ctx),
            adapt(v, n_BTD, "attn.c_v", position, ctx),
        )


@hookimpl
def dropped_matrices(settings: SettingsView) -> list[str]:
    """The layout's three matrices of every layer."""
    dropped = []
    for layer in range(settings.num_layers):
        dropped += [f"blocks.{layer}.attn.{role}.weight" for role in ("c_q", "c_k", "c_v")]
    return dropped


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """One matrix for each layer."""
    if "attention_output_gate" in settings.plugins:
        works, wanted = settings.attn_out_gate_src == "proj", "proj: fused_qkv has no product of queries alone"
        settings.require(works, "attn_out_gate_src", wanted)
    shape = (settings.model_dim + 2 * settings.kv_dim, settings.model_dim)
    return [Param("blocks.{}.attn.c_qkv.weight", shape, "matrix", "attn", layers=settings.num_layers)]


@hookimpl
def qkv_projection(settings: SettingsView) -> Component:
    """In place of three products."""
    return Component(FusedQkv, widths=(settings.model_dim, settings.kv_dim, settings.kv_dim))
