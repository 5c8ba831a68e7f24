"""Mini depth recurrence: a few layers run a second time, right after the last of them, from a step on.

    order = 0 .. e, then the recurrent layers again, then e+1 .. L-1      e: the last recurrent layer
    encoder = first half of the order, decoder = rest

Weights are shared by both passes, MLPs unless `untied_repeats` is there too. Skips are sized for the longer order. Once on it
stays on: calibration and scoring use it. Two layers, 4 and 5 of 11, did best; three lose more to step time than they win.

With `quirk_virtual_index`, as in PR #1204, all but matrices and lanes belongs to the step and not to the layer: scales, mixes,
gains, layer scales, XSA and value embeddings. When repeats begin, later layers go on with those of other layers.

Source: openai/parameter-golf PR #1285, PR #1334 (shared weights), PR #1204.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Phase, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from pgolf.contracts.architecture import Plan
    from pgolf.runtime.context import Context
    from pgolf.runtime.progress import Progress
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="depth_recurrence",
    summary="Runs a few layers a second time from a step on.",
    source="openai/parameter-golf#1285",
    family="architecture",
    effect="-0.002 to -0.003 BPB, +8 to +10 ms a step once on",
    order=40,
    conflicts=(
        Conflict("bank_qat", "recompiles and averaged pre-QAT weights: 1.109-1.119 against 1.100 measured", hard=False),
        Conflict("smear_gate", "recurrence with SmearGate v2 measured negative (PR #363)", hard=False),
    ),
    settings=(
        Setting("recur_layers", "4,5", "layers that run twice, by number"),
        Setting("recur_start_step", 3000, "step from which they do", minimum=0),
        Setting("quirk_virtual_index", False, "control tensors belong to steps, not to layers, as in PR #1204"),
    ),
)


class DepthRecurrence:
    """phases -> (encoder layers, decoder layers)."""

    name = "depth_recurrence"

    def __init__(self, num_layers: int, recurrent: tuple[int, ...], numbered: bool) -> None:
        self.num_layers = num_layers
        self.recurrent = recurrent
        self.numbered = numbered
        self.num_blocks = num_layers + numbered * len(recurrent)

    def __call__(self, phases: tuple[str, ...]) -> Plan:
        layers = repeat_layers(self.num_layers, self.recurrent, phases)
        if self.numbered:
            layers = tuple(range(len(layers)))
        return layers[: len(layers) // 2], layers[len(layers) // 2 :]


def repeat_layers(num_layers: int, recurrent: tuple[int, ...], phases: tuple[str, ...]) -> tuple[int, ...]:
    """Physical layers of all steps."""
    layers = tuple(range(num_layers))
    if "recurrence" in phases:
        after = recurrent[-1] + 1
        layers = layers[:after] + recurrent + layers[after:]
    return layers


def layer_of_step(
    role: str, layer: int, position: int, ctx: Context, num_layers: int, recurrent: tuple[int, ...]
) -> int:
    """The physical layer of the step that the plan has as `layer`."""
    return repeat_layers(num_layers, recurrent, ctx.phases)[layer]


def recurrence_begins(progress: Progress, at: int) -> bool:
    """True from the given step on."""
    return progress.step >= at


@hookimpl
def layer_plan(settings: SettingsView) -> Component:
    """The longer order in phase "recurrence", the plain one before."""
    layers, quirk = settings.layer_numbers("recur_layers"), settings.quirk_virtual_index
    alone = not {"fused_qkv", "two_lanes"} & set(settings.plugins)
    settings.require(alone or not quirk, "quirk_virtual_index", "false beside fused_qkv or two_lanes")
    return Component(DepthRecurrence, num_layers=settings.num_layers, recurrent=layers, numbered=quirk)


@hookimpl
def matrix_layers(settings: SettingsView) -> Component | None:
    """Matrices stay with their layers."""
    if not settings.quirk_virtual_index:
        return None
    return Component(layer_of_step, num_layers=settings.num_layers, recurrent=settings.layer_numbers("recur_layers"))


@hookimpl
def phases(settings: SettingsView) -> list[Phase]:
    """One phase, on for good."""
    return [Phase("recurrence", Component(recurrence_begins, at=settings.recur_start_step))]
