"""Learned per-channel control of the residual stream: what every block reads and how much it adds.

    u = a * x + b * x0 (resid_mix, rows a = 1 and b = 0 at start)      x <- u + s_a * Attn(u)      x <- x + s_m * MLP(x)

x0 is the normed embedding. Wirings decide in which order the parts meet; this plugin owns the tensors.

Source: openai/parameter-golf, train_gpt.py (baseline).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.parameters import ones

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="residual_scales",
    summary="attn_scale, mlp_scale and resid_mix of every layer.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
)


def first_row_one(tensor: Tensor, generator: Generator, ledger: Ledger) -> None:
    """Row 0 one, the rest zero: the block input starts as the stream itself."""
    tensor.zero_()
    tensor[0] = 1.0


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """Control tensors, kept in float32."""
    layers, dim = settings.num_layers, settings.model_dim
    shapes = {"attn_scale": ((dim,), ones), "mlp_scale": ((dim,), ones), "resid_mix": ((2, dim), first_row_one)}
    return [
        Param(f"blocks.{{}}.{name}", shape, "scalar", "control", init=Component(init), layers=layers)
        for name, (shape, init) in shapes.items()
    ]
