"""Where scores go from Python to text, to NumPy and back to torch in ways that no object of theirs sees."""

from __future__ import annotations

import json
import logging
import re
import statistics
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from pgolf.probe.inside import tags
from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.comparisons import LEAST, of_list
from pgolf.probe.inside.groups import Tracked, group_of, kept_sum
from pgolf.probe.inside.tracked_arrays import TrackedArray

SPEC = re.compile(r"%(?:\((?P<key>\w+)\))?(?P<form>[-+ #0]*\d*(?:\.\d+)?)(?P<kind>[diouxXeEfFgGcrsa%])")
NEAR = 64
"""Tokens by which an array may differ from the text that it has places for."""
FEW = 8
"""Elements of an array that totals may be added up in."""
BY_CALL = {"f": "f", "F": "f", "e": "e", "E": "E", "g": "g", "G": "G", "s": "", "r": ""}


def percent(left: Any, right: Any) -> Any:
    """`left % right`; a text reports the scores that it is filled with."""
    if isinstance(left, str):
        filled(left, right)
    return left % right


def filled(text: str, values: Any) -> None:
    """Report what `text % values` shows of scores."""
    parts = values if isinstance(values, tuple) else (values,)
    place = 0
    for spec in SPEC.finditer(text):
        if spec["kind"] == "%":
            continue
        if spec["key"]:
            value = values.get(spec["key"]) if isinstance(values, dict) else None
        else:
            value = parts[place] if place < len(parts) else None
            place += 1
        shown = value.item() if isinstance(value, torch.Tensor) and value.numel() == 1 else value
        if isinstance(shown, Tracked) and spec["kind"] in BY_CALL:
            digits = re.search(r"\.\d+", spec["form"]) if spec["kind"] not in "sr" else None
            format(shown, (digits[0] if digits else "") + BY_CALL[spec["kind"]])


def watch_texts() -> None:
    """Log records and JSON report scores as printing does."""
    message = logging.LogRecord.getMessage

    def told(self: logging.LogRecord) -> str:
        if self.args and isinstance(self.msg, str):
            filled(self.msg, self.args)
        return message(self)

    logging.LogRecord.getMessage = told  # type: ignore[method-assign]
    dump, dumps = json.dump, json.dumps
    json.dump = lambda value, *args, **kwargs: dump(plain(value), *args, **kwargs)  # type: ignore[assignment]
    json.dumps = lambda value, *args, **kwargs: dumps(plain(value), *args, **kwargs)  # type: ignore[assignment]


def plain(value: Any) -> Any:
    """The same without scores, which are reported."""
    if isinstance(value, Tracked):
        repr(value)
        return float(value)
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, (list, tuple)) else value


def watch_lists(recorder: Recorder) -> None:
    """Functions of NumPy and `statistics` of lists of scores, and arrays that become tensors again."""
    for name, mean in (("mean", True), ("sum", False), ("average", True)):
        setattr(np, name, of_lists(getattr(np, name), mean))
    for name, sign in LEAST.items():
        setattr(np, name, of_list(getattr(np, name), recorder, sign))
    for name in ("mean", "fmean"):
        setattr(statistics, name, of_lists(getattr(statistics, name), True))
    for name in ("array", "asarray", "fromiter"):
        setattr(np, name, arrayed(getattr(np, name), recorder))
    for name in ("zeros", "empty", "full", "ones"):
        setattr(np, name, for_the_text(getattr(np, name), recorder))
    torch.from_numpy = from_array(torch.from_numpy)  # type: ignore[assignment]


def for_the_text(function: Callable[..., Any], recorder: Recorder) -> Callable[..., Any]:
    """An array with a place for each token of the text may get their scores, one by one; a short one may get totals."""
    size = recorder.places.stream.size

    def call(*args: Any, **kwargs: Any) -> Any:
        out = function(*args, **kwargs)
        if sys._getframe(1).f_code.co_filename not in recorder.files:  # arrays of ours, and of libraries
            return out
        few = 0 < out.size <= FEW
        if not out.ndim or out.dtype.kind != "f" or (abs(out.size - size) > NEAR and not few):
            return out
        found = TrackedArray.of(out, None, recorder)
        found.totals = np.empty(out.shape, object) if few else None
        return found

    return call


def of_lists(function: Callable[..., Any], mean: bool) -> Callable[..., Any]:
    """A sum or mean that keeps the scores of a list of numbers."""

    def call(*args: Any, **kwargs: Any) -> Any:
        values = args[0] if len(args) == 1 and not kwargs else None
        if isinstance(values, (list, tuple)) and any(map(is_tracked, values)):
            total = kept_sum(float_of(value) for value in values)
            return total / len(values) if mean else total
        return function(*args, **kwargs)

    return call


def is_tracked(value: Any) -> bool:
    """Is it a number with scores?"""
    return isinstance(value, Tracked)


def float_of(value: Any) -> Any:
    """A number that can be added."""
    return value if isinstance(value, Tracked) else float(value)


def arrayed(function: Callable[..., Any], recorder: Recorder) -> Callable[..., Any]:
    """An array of a list of scores or totals knows them; one of a tensor or of an array keeps what that has."""

    def call(*args: Any, **kwargs: Any) -> Any:
        values = args[0] if args else None
        if isinstance(values, torch.Tensor) and not values.requires_grad:
            values = values.numpy()
        scores = list(values) if isinstance(values, (list, tuple)) and any(map(is_tracked, values)) else None
        out = function(*args, **kwargs)
        if not isinstance(out, np.ndarray) or out.dtype.kind != "f":
            return out
        if isinstance(values, TrackedArray) and values.shape == out.shape:
            found = TrackedArray.of(out, None, recorder)
            found.births, found.totals = values.births, values.totals
            return found
        return out if scores is None or out.shape != (len(scores),) else with_scores(out, scores, recorder)

    return call


def with_scores(out: Any, scores: list[Any], recorder: Recorder) -> TrackedArray:
    """An array of single scores, or of totals."""
    groups = [group_of(value) for value in scores]
    births = [-1 if group is None else group.single for group in groups]
    found = TrackedArray.of(out, torch.tensor(births) if max(births) >= 0 else None, recorder)
    if max(births) < 0:
        found.totals = np.empty(len(groups), object)
        found.totals[:] = groups
    return found


def from_array(function: Callable[..., Any]) -> Callable[..., Any]:
    """`torch.from_numpy` that keeps births."""

    def call(array: Any) -> torch.Tensor:
        found: torch.Tensor = function(array)
        if isinstance(array, TrackedArray) and array.births is not None:
            tags.put(found, torch.from_numpy(np.ascontiguousarray(array.births)))
        elif isinstance(array, TrackedArray):
            tags.put(found, array.totals)
        return found

    return call
