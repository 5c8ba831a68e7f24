"""Residual mixes that start by depth: early layers read the embedding again, late layers the stream.

    a_l = sigmoid(3 (l / (L - 1) - 1/2)),  b_l = 1 - a_l     in  u = a * x + b * x0  of layer l

Source: record 2026-03-19 "10L Muon WD Overtone" (1.1748).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="resid_mix_phase",
    summary="Residual mixes start between embedding and stream, by depth.",
    source="openai/parameter-golf record 10L Muon WD Overtone",
    family="architecture",
    requires=("residual_scales",),
)


class PhasedMix:
    """Sets both rows of every layer's `resid_mix`."""

    def __init__(self, num_layers: int) -> None:
        self.num_layers = num_layers

    def __call__(self, state: Mapping[str, Tensor], ledger: Ledger) -> None:
        for layer in range(self.num_layers):
            share = 1 / (1 + math.exp(-3 * (layer / (self.num_layers - 1) - 0.5)))
            mix = state[f"blocks.{layer}.resid_mix"]
            mix[0] = share
            mix[1] = 1 - share
            ledger.count("resid_mix_phase", "mixes")


@hookimpl
def init_taps(settings: SettingsView) -> Component:
    """After the start that residual_scales gives."""
    settings.require(settings.num_layers > 1, "num_layers", "at least 2: the share grows from the first to the last")
    return Component(PhasedMix, num_layers=settings.num_layers)
