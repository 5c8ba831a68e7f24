"""The factors of `lora_ttt` learn by plain gradient descent."""

import torch

from pgolf import Component, Plugin, Setting, hookimpl

PLUGIN = Plugin(
    name="example_adapter_sgd",
    summary="Gradient descent on an adapter's factors.",
    source="pgolf's documentation",
    family="eval",
    requires=("lora_ttt",),
    settings=(Setting("example_adapter_sgd_rate", 0.1, "learning rate", minimum=0.0),),
)


def make_sgd(factors, ledger, rate):
    """Called anew for every group of documents."""
    ledger.count("example_adapter_sgd", "groups")
    return torch.optim.SGD(factors, rate)


@hookimpl
def adapter_optimizer(settings) -> Component:
    """Anything with `zero_grad` and `step` will do."""
    return Component(make_sgd, rate=settings.example_adapter_sgd_rate)
