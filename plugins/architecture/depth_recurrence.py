"""Mini depth recurrence: a few layers run a second time, right after the last of them, from a step on.

    order = 0 .. e, then the recurrent layers again, then e+1 .. L-1      e: the last recurrent layer
    encoder = first half of the order, decoder = rest

Weights are shared by both passes. Skips are sized for the longer order. Once on it stays on: calibration and scoring use it.
Two layers, 4 and 5 of 11, did best; three lose more to step time than they win.

Source: openai/parameter-golf PR #1285, PR #1334 (shared weights); PR #1204 gives the repeats MLPs of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Phase, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from pgolf.contracts.architecture import Plan
    from pgolf.runtime.progress import Progress
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="depth_recurrence",
    summary="Runs a few layers a second time from a step on.",
    source="openai/parameter-golf#1285",
    family="architecture",
    effect="-0.002 to -0.003 BPB, +8 to +10 ms a step once on",
    conflicts=(
        Conflict("bank_qat", "recompiles and averaged pre-QAT weights: 1.109-1.119 against 1.100 measured", hard=False),
        Conflict("smear_gate", "recurrence with SmearGate v2 measured negative (PR #363)", hard=False),
    ),
    settings=(
        Setting("recur_layers", "4,5", "layers that run twice, by number"),
        Setting("recur_start_step", 3000, "step from which they do", minimum=0),
    ),
)


class DepthRecurrence:
    """phases -> (encoder layers, decoder layers)."""

    name = "depth_recurrence"

    def __init__(self, num_layers: int, recurrent: tuple[int, ...]) -> None:
        self.num_layers = num_layers
        self.recurrent = recurrent

    def __call__(self, phases: tuple[str, ...]) -> Plan:
        layers = tuple(range(self.num_layers))
        if "recurrence" in phases:
            after = self.recurrent[-1] + 1
            layers = layers[:after] + self.recurrent + layers[after:]
        return layers[: len(layers) // 2], layers[len(layers) // 2 :]


def recurrence_begins(progress: Progress, at: int) -> bool:
    """True from the given step on."""
    return progress.step >= at


@hookimpl
def layer_plan(settings: SettingsView) -> Component:
    """The longer order in phase "recurrence", the plain one before."""
    count, text = settings.num_layers, settings.recur_layers
    parts = [part.strip() for part in text.split(",")]
    layers = tuple(sorted({int(part) for part in parts if part.isdecimal()}))
    wanted = f"different layer numbers below {count}, such as 4,5"
    settings.require(len(layers) == len(parts) and layers[-1] < count, "recur_layers", wanted)
    return Component(DepthRecurrence, num_layers=count, recurrent=layers)


@hookimpl
def phases(settings: SettingsView) -> list[Phase]:
    """One phase, on for good."""
    return [Phase("recurrence", Component(recurrence_begins, at=settings.recur_start_step))]
