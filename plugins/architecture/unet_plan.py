"""Every layer once; the first half are encoder layers, whose outputs come back as skips in the second half.

    encoder = 0 .. L//2-1      decoder = L//2 .. L-1

Source: openai/parameter-golf, train_gpt.py (baseline).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl

if TYPE_CHECKING:
    from pgolf.contracts.architecture import Plan
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="unet_plan",
    summary="Each layer once, first half encoder, second half decoder.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
)


class UnetPlan:
    """phases -> (encoder layers, decoder layers)."""

    name = "unet_plan"

    def __init__(self, num_layers: int) -> None:
        self.num_layers = num_layers

    def __call__(self, phases: tuple[str, ...]) -> Plan:
        layers = tuple(range(self.num_layers))
        return layers[: len(layers) // 2], layers[len(layers) // 2 :]


@hookimpl
def layer_plan(settings: SettingsView) -> Component:
    """All layers in order."""
    return Component(UnetPlan, num_layers=settings.num_layers)
