"""PyTorch's default start of a linear layer, keyed by name: W ~ U(-1/sqrt(in), 1/sqrt(in)).

Kaiming-uniform with a = sqrt(5) comes to this bound.

Source: openai/parameter-golf, train_gpt.py (baseline, nn.Linear's default).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="uniform_init",
    summary="Matrices start uniform in +-1/sqrt(fan_in).",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
)


def uniform_fan_in(tensor: Tensor, generator: Generator, ledger: Ledger) -> None:
    """Fill a (out, in) matrix."""
    bound = tensor.shape[-1] ** -0.5
    tensor.uniform_(-bound, bound, generator=generator)
    ledger.count("uniform_init", "matrices")


@hookimpl
def initializer(settings: SettingsView) -> Component:
    """For every matrix without a start of its own."""
    return Component(uniform_fan_in)
