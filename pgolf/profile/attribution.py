"""What PyTorch's profiler has seen, by stage and plugin.

An operator counts for the innermost range around it. One of the backward pass has none: it counts for the range of the forward
operator whose gradient it computes, which PyTorch numbers alike.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pgolf.profile.ranges import PLUGIN, STAGE

BACKWARD = "autograd::engine::evaluate_function"
ENGINE = ""


def attribute(events: Any, on_gpu: bool) -> dict[tuple[str, str], float]:
    """(stage, plugin) -> milliseconds of the GPU, or without one of the processor, over all events."""
    found: dict[tuple[str, str], float] = defaultdict(float)
    places: dict[int, tuple[str, str, bool]] = {}
    forward: dict[int, str] = {}
    pending = []
    for event in sorted(events, key=lambda event: event.time_range.start):
        if event.device_type.name != "CPU":
            continue  # a kernel, which is counted with the operator that started it
        stage, plugin, backward = place(event, places)
        if event.sequence_nr >= 0 and not backward:
            forward[event.sequence_nr] = plugin
        pending.append((event, stage, backward))
    for event, stage, backward in pending:
        spent = event.self_device_time_total if on_gpu else event.self_cpu_time_total
        if event.name.startswith((STAGE, PLUGIN)) and on_gpu:
            continue  # a range has no kernels of its own
        owner = forward.get(number_of(event), ENGINE) if backward else places[id(event)][1]
        found["backward" if backward else stage, owner] += spent / 1000
    return dict(found)


def place(event: Any, places: dict[int, tuple[str, str, bool]]) -> tuple[str, str, bool]:
    """(stage, plugin, whether it is of the backward pass) of an event, from the ranges around it."""
    if id(event) not in places:
        stage, plugin, backward = (
            place(event.cpu_parent, places) if event.cpu_parent is not None else ("", ENGINE, False)
        )
        if event.name.startswith(STAGE):
            stage, plugin = event.name.removeprefix(STAGE), ENGINE
        elif event.name.startswith(PLUGIN):
            plugin = event.name.removeprefix(PLUGIN)
        places[id(event)] = stage, plugin, backward or event.name.startswith(BACKWARD)
    return places[id(event)]


def number_of(event: Any) -> int:
    """The number of the forward operator that an event of the backward pass belongs to, -1 for none."""
    while event is not None:
        if event.name.startswith(BACKWARD):
            return int(event.sequence_nr)
        event = event.cpu_parent
    return -1
