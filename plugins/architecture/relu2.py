"""The baseline's MLP: Wp relu(Wf n)^2.

Source: openai/parameter-golf, train_gpt.py (baseline); Primer, arXiv:2109.08668.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F

from pgolf import Component, Plugin, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="relu2",
    summary="MLP with squared ReLU.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
)


def relu2_mlp(model: GPT, n_BTD: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
    """n_BTD -> x_BTD."""
    ctx.fired("relu2", "layers")
    hidden = F.relu(model.project(n_BTD, "mlp.fc", layer, position, ctx)).square()
    return model.project(hidden, "mlp.proj", layer, position, ctx)


@hookimpl
def mlp(settings: SettingsView) -> Component:
    """Squared ReLU."""
    return Component(relu2_mlp)
