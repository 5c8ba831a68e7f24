"""One tensor for each matrix of each layer: the layout of the public baseline.

    q = x Wq^T (D -> D)     k, v = x Wk^T, x Wv^T (D -> K*C)     out = y Wo^T     mlp: D -> m -> D

The output projections start at zero, so every block starts as the identity; the others start as the `initializer` says.

Source: openai/parameter-golf, train_gpt.py (baseline).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.parameters import zeros

if TYPE_CHECKING:
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="layer_matrices",
    summary="One tensor per matrix and layer.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
)


@hookimpl
def parameter_layout(settings: SettingsView) -> list[Param]:
    """Six matrices per layer under their public names."""
    dim, kv_dim, hidden = settings.model_dim, settings.kv_dim, settings.hidden_dim
    matrices = {
        "attn.c_q": (dim, dim),
        "attn.c_k": (kv_dim, dim),
        "attn.c_v": (kv_dim, dim),
        "attn.proj": (dim, dim),
        "mlp.fc": (hidden, dim),
        "mlp.proj": (dim, hidden),
    }
    return [
        Param(
            name=f"blocks.{{}}.{role}.weight",
            shape=shape,
            group="matrix",
            quant=role.split(".")[0],
            init=Component(zeros) if role.endswith(".proj") else None,
            layers=settings.num_layers,
        )
        for role, shape in matrices.items()
    ]
