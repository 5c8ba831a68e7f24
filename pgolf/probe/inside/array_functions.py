"""Functions of NumPy that are given scores, or distributions to pick them from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from pgolf.probe.inside.comparisons import LEAST, along, contrary
from pgolf.probe.inside.tracked_arrays import Called, TrackedArray, births_of, merged, summed, wrap

MOVED = (
    *(
        "reshape",
        "ravel",
        "transpose",
        "squeeze",
        "expand_dims",
        "flip",
        "roll",
        "repeat",
        "tile",
        "broadcast_to",
        "take",
    ),
    *("swapaxes", "moveaxis", "atleast_1d", "split", "array_split"),
)
"""Functions that move elements of their first argument."""
JOINED = ("concatenate", "stack", "hstack", "vstack", "append")
SAME = ("clip", "nan_to_num", "copy", "asarray", "array", "ascontiguousarray", "abs", "around", "round")


def axis_of(call: Called, default: Any) -> Any:
    """The axis, by name or as the second argument."""
    return call.kwargs.get("axis", call.args[1] if len(call.args) > 1 else default)


def moved(call: Called) -> Any:
    """Elements in other places, in one array or in several."""
    known = isinstance(call.first, TrackedArray) and call.first.births is not None
    births: Any = call.func(call.first.births, *call.args[1:], **call.kwargs) if known else None
    if isinstance(call.out, list):
        parts = births if known else [None] * len(call.out)
        return [wrap(part, own, call.recorder) for part, own in zip(call.out, parts, strict=True)]
    return wrap(call.out, births, call.recorder)


def joined(call: Called) -> Any:
    """Arrays side by side."""
    if isinstance(call.first, (list, tuple)):
        args = ([births_of(part) for part in call.first], *call.args[1:])
    else:
        args = tuple(births_of(part) for part in call.args[:2]) + tuple(call.args[2:])
    return wrap(call.out, call.func(*args, **call.kwargs), call.recorder)


def totalled(call: Called) -> Any:
    """Sums and means."""
    if not isinstance(call.first, TrackedArray) or call.kwargs.get("weights") is not None:
        return call.out
    mean = call.func.__name__ in ("mean", "nanmean", "average")
    factor = np.size(call.out) / call.first.size if mean and call.first.size else 1.0
    return summed(call.first, axis_of(call, None), call.out, factor)


def multiplied(call: Called) -> Any:
    """The sum of products of two vectors."""
    first, second = call.args[:2]
    return (first * second).sum() if np.ndim(call.out) == np.ndim(first) - 1 == np.ndim(second) - 1 == 0 else call.out


def chosen(call: Called) -> Any:
    """`np.where(which, one, other)`."""
    if len(call.args) != 3 or call.recorder is None:
        return call.out
    return wrap(call.out, merged(call.recorder, "where", call.args[1:], np.shape(call.out)), call.recorder)


def taken_along(call: Called) -> Any:
    """`np.take_along_axis(rows, targets[:, None], -1)`."""
    rows, index, recorder = call.args[0], np.asarray(call.args[1]), call.recorder
    if recorder is None or not isinstance(rows, TrackedArray) or index.shape[-1:] != (1,):
        return call.out
    if rows.births is not None or not recorder.is_distribution(rows.shape[-1]):
        return call.out
    wide = torch.from_numpy(np.ascontiguousarray(rows.view(np.ndarray)))
    births = recorder.give_birth(wide, torch.from_numpy(index[..., 0].astype(np.int64)))
    return call.out if births is None else wrap(call.out, births.numpy()[..., None], recorder)


def same(call: Called) -> Any:
    """The values as they are."""
    fits = np.shape(call.out) == np.shape(call.first)
    return wrap(call.out, births_of(call.first) if fits else None, call.recorder)


def ordered(call: Called) -> Any:
    """Scores in another order."""
    axis = axis_of(call, -1)
    if not isinstance(call.first, TrackedArray) or call.first.births is None or axis is None:
        return call.out
    order = np.argsort(call.first.view(np.ndarray), axis=axis)
    return wrap(call.out, np.take_along_axis(call.first.births, order, axis), call.recorder)


def least(call: Called) -> Any:
    """`np.argmin`: what is chosen by it is noted."""
    first, recorder = call.first, call.recorder
    axis = axis_of(call, None)
    if not isinstance(first, TrackedArray) or recorder is None:
        return call.out
    if first.totals is not None and first.ndim == 1:
        name = call.func.__name__
        second = contrary(recorder, list(first.totals), first.view(np.ndarray).tolist(), LEAST[name])
        if second is None:
            return call.out
        return np.roll(call.out, -1) if np.ndim(call.out) else np.int64(second)
    if first.births is not None and isinstance(axis, int):
        along(recorder, np.moveaxis(first.births, axis, -1), call.func.__name__)
    return call.out


FUNCTIONS: dict[str, Callable[[Called], Any]] = {
    **dict.fromkeys(("sum", "mean", "nansum", "nanmean", "average"), totalled),
    **dict.fromkeys(MOVED, moved),
    **dict.fromkeys(JOINED, joined),
    **dict.fromkeys(SAME, same),
    **dict.fromkeys(LEAST, least),
    **dict.fromkeys(("dot", "inner", "vdot"), multiplied),
    "where": chosen,
    "take_along_axis": taken_along,
    "sort": ordered,
}
"""Name of a function -> its result with scores."""
