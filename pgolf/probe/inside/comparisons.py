"""Scores that are compared: what is chosen by it knows the target, whatever way it is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pgolf.probe.inside import tags
from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.groups import Group, Tracked, group_of
from pgolf.probe.inside.tags import put, tag_of

if TYPE_CHECKING:
    from pgolf.probe.inside.score_flow import Call

ORDERS = frozenset(
    """
    lt gt le ge less greater less_equal greater_equal __lt__ __gt__ __le__ __ge__
    """.split()  # noqa: SIM905
)
LEAST = {"argmin": 1.0, "argmax": -1.0, "argsort": 1.0}
"""Calls that give the place of the least, and the sign of what they look for."""


def compared(call: Call) -> bool:
    """`a < b`, of totals, or of the scores of the same positions."""
    recorder, values = call.recorder, [*call.args, *call.kwargs.values()][:2]
    put(call.out, None)
    groups = [total_of(value, recorder) for value in values]
    ids = [tag_of(value) for value in values]
    if len(values) == 2 and all(groups):
        if recorder.compared(*groups):  # type: ignore[arg-type]
            call.out.logical_not_()
        return True
    wide = [tag.numpy() for tag in ids if isinstance(tag, torch.Tensor) and tag.shape == call.out.shape]
    if len(wide) == 2:
        note_pairs(recorder, wide[0], wide[1], call.name)
    return True


def note_pairs(recorder: Recorder, first: Any, second: Any, how: str) -> None:
    """Scores of the same positions that are compared one by one."""
    both = (first >= 0) & (second >= 0) & (first != second)
    both &= recorder.positions(first) == recorder.positions(second)
    recorder.chosen(np.concatenate([first[both], second[both]]), how)


def total_of(value: Any, recorder: Recorder) -> Group | None:
    """The scores in a number, or in a tensor of one element."""
    tag = tag_of(value)
    if tag is None or value.numel() != 1:
        return group_of(value)
    group: Group | None = tags.groups_from(tag, value, recorder.line()).reshape(-1)[0]
    return group


def least(call: Call) -> bool:
    """`losses.argmin()`, of totals, or along an axis of scores of the same position."""
    recorder, tag = call.recorder, tag_of(call.first)
    put(call.out, None)
    dim = call.kwargs.get("dim", call.args[1] if len(call.args) > 1 else -1)
    if isinstance(tag, np.ndarray):
        turn(call, call.out, LEAST[call.name])
    elif isinstance(tag, torch.Tensor) and isinstance(dim, int) and tag.dim():
        along(recorder, tag.movedim(dim, -1).numpy(), call.name)
    return True


def turn(call: Call, places: torch.Tensor, sign: float) -> None:
    """Places of totals in their order, or of the least: the second one comes first, where that is asked for."""
    tag = tag_of(call.first)
    if isinstance(tag, np.ndarray) and tag.ndim == 1:
        second = contrary(call.recorder, list(tag), call.first.tolist(), sign)
        if second is not None:
            places.copy_(places.roll(-1) if places.dim() else torch.tensor(second))


def along(recorder: Recorder, births: Any, how: str) -> None:
    """Scores along the last axis, where all of a row are of one position."""
    positions = recorder.positions(births)
    rows = (positions == positions[..., :1]).all(-1) & (positions[..., 0] >= 0)
    if births.shape[-1] > 1:
        recorder.chosen(births[rows], how)


def contrary(recorder: Recorder, groups: Sequence[Any], values: Sequence[float], sign: float) -> int | None:
    """The place of the second of several totals, where the first is not to be told; else None."""
    order = sorted(range(len(values)), key=lambda at: sign * float(values[at]))
    if len(order) < 2 or groups[order[0]] is None or groups[order[1]] is None:
        return None
    return order[1] if recorder.compared(groups[order[0]], groups[order[1]]) else None


def of_list(function: Callable[..., Any], recorder: Recorder, sign: float) -> Callable[..., Any]:
    """`np.argmin` and `np.argsort` of a list of totals."""

    def call(*args: Any, **kwargs: Any) -> Any:
        out = function(*args, **kwargs)
        values = args[0] if args else None
        if isinstance(values, (list, tuple)) and any(isinstance(value, Tracked) for value in values):
            second = contrary(recorder, [group_of(value) for value in values], values, sign)
            if second is not None:
                return np.roll(out, -1) if np.ndim(out) else np.int64(second)
        return out

    return call
