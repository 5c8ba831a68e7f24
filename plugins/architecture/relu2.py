"""The baseline's MLP: Wp relu(Wf n)^2.

Source: openai/parameter-golf, train_gpt.py (baseline); Primer, arXiv:2109.08668.
"""

import torch.nn.functional as F

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="relu2",
    summary="MLP with squared ReLU.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
)


def relu2_mlp(model, n_BTD, layer, position, ctx):
    """n_BTD -> x_BTD."""
    ctx.fired("relu2", "layers")
    hidden = F.relu(model.project(n_BTD, "mlp.fc", layer, position, ctx)).square()
    return model.project(hidden, "mlp.proj", layer, position, ctx)


@hookimpl
def mlp(settings) -> Component:
    """Squared ReLU."""
    return Component(relu2_mlp)
