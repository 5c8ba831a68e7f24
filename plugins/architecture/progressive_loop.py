"""Progressive recurrence: layers s..e run once, later twice, later three times.

    before the first phase   0 .. L-1
    in the first             0 .. s-1, then 2 times s..e, then e+1 .. L-1
    in the second            0 .. s-1, then 3 times s..e, then e+1 .. L-1       encoder = first half, decoder = rest

Weights are shared by all passes; skips are sized for the longest order. Both phases stay on: calibration and scoring use the
longest order.

Source: openai/parameter-golf PR #1412.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Phase, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from pgolf.contracts.architecture import Plan
    from pgolf.runtime.progress import Progress
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="progressive_loop",
    summary="Repeats middle layers once from one share of the budget on, twice from a later one.",
    source="openai/parameter-golf#1412",
    family="architecture",
    effect="about -0.0005 BPB against layer_loop, one more graph to compile",
    conflicts=(
        Conflict("bank_qat", "recompiles and averaged pre-QAT weights: 1.109-1.119 against 1.100 measured", hard=False),
        Conflict("smear_gate", "recurrence with SmearGate v2 measured negative (PR #363)", hard=False),
    ),
    settings=(
        Setting("loop_start", 3, "first looped layer", minimum=0),
        Setting("loop_end", 5, "last looped layer", minimum=0),
        Setting("enable_looping_at", 0.5, "share of the budget after which there is one extra pass", minimum=0),
        Setting("loop_phase2_at", 0.65, "share of the budget after which there are two", minimum=0),
    ),
)


class ProgressiveLoop:
    """phases -> (encoder layers, decoder layers)."""

    name = "progressive_loop"

    def __init__(self, num_layers: int, loop_start: int, loop_end: int) -> None:
        self.num_layers = num_layers
        self.loop_start = loop_start
        self.loop_end = loop_end

    def __call__(self, phases: tuple[str, ...]) -> Plan:
        layers = tuple(range(self.num_layers))
        passes = 3 if "loop_twice" in phases else 2 if "loop" in phases else 1
        looped = layers[self.loop_start : self.loop_end + 1]
        layers = layers[: self.loop_start] + looped * passes + layers[self.loop_end + 1 :]
        return layers[: len(layers) // 2], layers[len(layers) // 2 :]


def pass_begins(progress: Progress, at: float) -> bool:
    """True from the given share of the training budget on."""
    return progress.fraction >= at


@hookimpl
def layer_plan(settings: SettingsView) -> Component:
    """Three orders."""
    start, end, last = settings.loop_start, settings.loop_end, settings.num_layers - 1
    settings.require(end <= last, "loop_end", f"at most {last}, the last layer")
    settings.require(start <= end, "loop_start", f"at most loop_end={end}")
    begin, second = settings.enable_looping_at, settings.loop_phase2_at
    settings.require(second < 1, "loop_phase2_at", "less than 1, or the second pass begins after the last step")
    settings.require(begin < second, "enable_looping_at", f"less than loop_phase2_at={second:g}")
    return Component(ProgressiveLoop, num_layers=settings.num_layers, loop_start=start, loop_end=end)


@hookimpl
def phases(settings: SettingsView) -> list[Phase]:
    """Two phases, on for good."""
    return [
        Phase("loop", Component(pass_begins, at=settings.enable_looping_at)),
        Phase("loop_twice", Component(pass_begins, at=settings.loop_phase2_at)),
    ]
