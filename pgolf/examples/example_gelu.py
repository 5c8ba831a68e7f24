"""Wp gelu(Wf n)."""

import torch.nn.functional as F

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_gelu",
    summary="MLP with GELU.",
    source="pgolf's documentation",
    family="architecture",
)


def gelu_mlp(model, n_BTD, layer, position, ctx):
    """Matrices are used through `model.project`, so that taps, calibration and adapters see them."""
    ctx.fired("example_gelu", "layers")
    hidden = F.gelu(model.project(n_BTD, "mlp.fc", layer, position, ctx))
    return model.project(hidden, "mlp.proj", layer, position, ctx)


@hookimpl
def mlp(settings) -> Component:
    """Takes the place of the baseline's."""
    return Component(gelu_mlp)
