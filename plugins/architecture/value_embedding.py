"""Value embeddings: a small table of token vectors, projected once, is added to the values of some layers.

    v <- v + b_l * a * (T[ids] P^T),   T (V, ve_dim) ~ N(0, .01^2),  a = .1,  b_l = 1, one per listed layer

There is no projection when ve_dim is the width of the values. P starts as the initializer says, never at zero.

Source: openai/parameter-golf PR #374 line; PR #414.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F

from pgolf import Component, Param, Plugin, Setting, hookimpl
from pgolf.runtime.parameters import constant, normal, ones

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="value_embedding",
    summary="Token table added to the values of some layers.",
    source="openai/parameter-golf#414",
    family="architecture",
    effect="about -0.001 BPB at vocabulary 1024, none at 8192",
    order=10,
    settings=(
        Setting("ve_dim", 128, "width of the value table", minimum=1),
        Setting("ve_layers", "9,10", "layers that receive it, comma separated"),
    ),
)


class ValueEmbedding:
    """v_BTE -> v_BTE on the listed layers; the projected table is computed once per forward."""

    def __init__(self, layers: tuple[int, ...], projected: bool) -> None:
        self.layers = layers
        self.projected = projected

    def __call__(self, model: GPT, v_BTE: Tensor, n_BTD: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
        if layer not in self.layers:
            return v_BTE
        ctx.fired("value_embedding", "layers")
        if "ve" not in ctx.memo:
            rows = F.embedding(ctx.ids, ctx.weights["ve_shared.embed.weight"])
            if self.projected:
                rows = F.linear(rows, ctx.weights["ve_shared.proj.weight"].to(rows.dtype))
            ctx.memo["ve"] = rows * ctx.weights["ve_shared.scale"].to(rows.dtype)
        scale = ctx.weights[f"ve_layer_scales.{self.layers.index(layer)}"]
        embedded: Tensor = ctx.memo["ve"]
        return v_BTE + scale.to(v_BTE.dtype) * embedded


def ve_layers(settings: SettingsView) -> tuple[int, ...]:
    """The listed layers; PgolfError where one does not exist or comes twice."""
    parts = settings.ve_layers.split(",")
    layers = tuple(int(part) if part.strip().isdecimal() else -1 for part in parts)
    works = all(0 <= layer < settings.num_layers for layer in layers) and len(set(layers)) == len(layers)
    wanted = f"different layer numbers below {settings.num_layers}, with commas"
    settings.require(works, "ve_layers", wanted, "for example --set ve_layers=9,10")
    return layers


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """Table, projection, global scale, one scale per listed layer."""
    params = [
        Param(
            "ve_shared.embed.weight",
            (settings.vocab_size, settings.ve_dim),
            "embed",
            "aux",
            init=Component(normal, std=0.01),
            dtype="activation",
        ),
        Param("ve_shared.scale", (), "scalar", "control", init=Component(constant, value=0.1)),
        Param(
            "ve_layer_scales.{}",
            (1,),
            "scalar",
            "control",
            init=Component(ones),
            layers=len(ve_layers(settings)),
        ),
    ]
    if settings.ve_dim != settings.kv_dim:
        params.append(Param("ve_shared.proj.weight", (settings.kv_dim, settings.ve_dim), "scalar", "aux"))
    return params


@hookimpl
def value_terms(settings: SettingsView) -> Component:
    """Before heads are split off."""
    return Component(ValueEmbedding, layers=ve_layers(settings), projected=settings.ve_dim != settings.kv_dim)
