"""Depth recurrence: layers s..e run n more times once a share of the training budget has passed.

    order = 0..s-1, then (n + 1) times s..e, then e+1..L-1      encoder = first half of the order, decoder = rest

Weights are shared by all passes and their gradients add up. Skips belong to decoder positions, so they are sized for the
looped order and the first ones serve the plain order too. Once on, the loop stays on: calibration and scoring use it.
With `enable_looping_at` 0 it is on from the first step, as in the middle cycles of PR #363, which lost 0.025 BPB.

`eval_num_loops` is another number of passes for calibration and scoring, after the last step. Skips keep the rows that were
trained: of a longer order the first decoder steps have skips, the later ones none, and encoder and decoder meet elsewhere.

Source: openai/parameter-golf PR #1394 (layers 4-5), PR #1493 (layers 3-5); `eval_num_loops` a fork's, unfinished there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Phase, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from pgolf.contracts.architecture import Plan
    from pgolf.runtime.progress import Progress
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="layer_loop",
    summary="Repeats middle layers from a share of the budget on.",
    source="openai/parameter-golf#1394",
    family="architecture",
    effect="-0.003 to -0.005 BPB, step time x 1.3 to 1.45 once on",
    conflicts=(
        Conflict("bank_qat", "recompiles and averaged pre-QAT weights: 1.109-1.119 against 1.100 measured", hard=False),
        Conflict("smear_gate", "recurrence with SmearGate v2 measured negative (PR #363)", hard=False),
    ),
    settings=(
        Setting("num_loops", 2, "extra passes over the looped layers", minimum=1),
        Setting("loop_start", 3, "first looped layer", minimum=0),
        Setting("loop_end", 5, "last looped layer", minimum=0),
        Setting("eval_num_loops", -1, "extra passes when calibrated and scored; -1: num_loops", minimum=-1),
        Setting("enable_looping_at", 0.35, "share of the training budget after which the loop is on", minimum=0),
    ),
)


class LayerLoop:
    """phases -> (encoder layers, decoder layers)."""

    name = "layer_loop"

    def __init__(self, num_layers: int, num_loops: int, eval_num_loops: int, loop_start: int, loop_end: int) -> None:
        self.num_layers = num_layers
        self.num_loops = num_loops
        self.eval_num_loops = eval_num_loops
        self.loop_start = loop_start
        self.loop_end = loop_end

    def __call__(self, phases: tuple[str, ...]) -> Plan:
        layers = tuple(range(self.num_layers))
        loops = self.eval_num_loops if "eval_loop" in phases else self.num_loops if "loop" in phases else 0
        looped = layers[self.loop_start : self.loop_end + 1]
        layers = layers[: self.loop_start] + looped * (loops + 1) + layers[self.loop_end + 1 :]
        return layers[: len(layers) // 2], layers[len(layers) // 2 :]


def loop_begins(progress: Progress, at: float) -> bool:
    """True from the given share of the training budget on."""
    return progress.fraction >= at


@hookimpl
def layer_plan(settings: SettingsView) -> Component:
    """The looped order in phase "loop", the plain one before."""
    start, end, last = settings.loop_start, settings.loop_end, settings.num_layers - 1
    settings.require(end <= last, "loop_end", f"at most {last}, the last layer")
    settings.require(start <= end, "loop_start", f"at most loop_end={end}")
    begin = settings.enable_looping_at
    settings.require(begin < 1, "enable_looping_at", "less than 1, or the loop begins after the last step")
    keys = ("num_layers", "num_loops", "eval_num_loops", "loop_start", "loop_end")
    return Component(LayerLoop, **{key: getattr(settings, key) for key in keys})


@hookimpl
def phases(settings: SettingsView) -> list[Phase]:
    """One phase, on for good, and with `eval_num_loops` one that begins after training."""
    found = [Phase("loop", Component(loop_begins, at=settings.enable_looping_at))]
    return found + [Phase("eval_loop", None)] * (settings.eval_num_loops >= 0)
