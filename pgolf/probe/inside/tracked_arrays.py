"""Scores inside NumPy arrays, as `tags` has them inside tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.groups import Group, Tracked

MOVED = frozenset(
    (
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
    )
)
JOINED = frozenset(["concatenate", "stack", "hstack", "vstack"])
PICKED = frozenset(["minimum", "maximum", "fmin", "fmax"])


class TrackedArray(np.ndarray[Any, Any]):
    """An array whose elements know their births; one without births may be a distribution to pick from.

    Attributes:
        births: of every element, -1 for none; None where there are none at all.
        recorder: takes births of what is picked.
    """

    births: NDArray[np.int64] | None
    recorder: Recorder | None

    @staticmethod
    def of(array: NDArray[Any], tag: Any, recorder: Recorder) -> TrackedArray:
        """An array with the births of a tensor."""
        found = array.view(TrackedArray)
        found.births = tag.numpy().copy() if isinstance(tag, torch.Tensor) else None
        found.recorder = recorder
        return found

    def __array_finalize__(self, source: Any) -> None:
        self.recorder = getattr(source, "recorder", None)
        self.births = None

    def __getitem__(self, index: Any) -> Any:
        out = self.view(np.ndarray)[index]
        if self.births is not None:
            return wrap(out, self.births[index], self.recorder)
        births = self._pick(index)
        if births is not None:
            return wrap(out, births, self.recorder)
        return wrap(out, None, self.recorder)

    def _pick(self, index: Any) -> NDArray[np.int64] | None:
        """Births of `rows[arange(n), targets]` and `row[target]`."""
        parts = index if isinstance(index, tuple) else (index,)
        recorder = self.recorder
        if recorder is None or self.ndim != len(parts) or not recorder.is_distribution(self.shape[-1]):
            return None
        targets = np.asarray(parts[-1])
        if targets.dtype.kind not in "iu":
            return None
        rows = self.view(np.ndarray)[parts[:-1]]
        one = targets.ndim == 0  # one token of one distribution, or of several
        targets = np.broadcast_to(targets, rows.shape[:-1]) if one else targets
        if rows.shape[:-1] != targets.shape:
            return None
        wide, tokens = rows.reshape(-1, rows.shape[-1]), targets.reshape(-1).astype(np.int64)
        births = recorder.give_birth(torch.from_numpy(np.ascontiguousarray(wide)), torch.from_numpy(tokens), -one)
        return None if births is None else births.numpy().reshape(targets.shape)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.view(np.ndarray)[index] = bare(value)
        if self.births is None and isinstance(value, (TrackedArray, Tracked)) and (births_of(value) >= 0).any():
            self.births = np.full(self.shape, -1, np.int64)
        if self.births is not None:
            self.births[index] = births_of(value)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        bound = {key: bare_all(value) for key, value in kwargs.items()}
        out = getattr(ufunc, method)(*(bare(value) for value in inputs), **bound)
        recorder = next((value.recorder for value in inputs if isinstance(value, TrackedArray)), self.recorder)
        if method == "reduce" and ufunc is np.add and isinstance(inputs[0], TrackedArray):
            return summed(inputs[0], kwargs.get("axis", 0), out, 1.0)
        if method != "__call__" or recorder is None:
            return out
        births = merged(recorder, ufunc.__name__, inputs, np.shape(out))
        if "out" in kwargs and isinstance(kwargs["out"][0], TrackedArray):
            kwargs["out"][0].births = births
            return kwargs["out"][0]
        return wrap(out, births, recorder)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name = func.__name__
        out = func(*bare_all(args), **{key: bare_all(value) for key, value in kwargs.items()})
        first: Any = args[0] if args else None
        if name in ("sum", "mean", "nansum", "nanmean") and isinstance(first, TrackedArray):
            factor = np.size(out) / first.size if "mean" in name and first.size else 1.0
            return summed(first, kwargs.get("axis", args[1] if len(args) > 1 else None), out, factor)
        if name in MOVED and isinstance(first, TrackedArray) and first.births is not None:
            return wrap(out, func(first.births, *args[1:], **kwargs), self.recorder)
        if name in JOINED:
            return wrap(out, func([births_of(part) for part in first], *args[1:], **kwargs), self.recorder)
        if name == "where" and len(args) == 3 and self.recorder is not None:
            return wrap(out, merged(self.recorder, "where", args[1:], np.shape(out)), self.recorder)
        if name == "take_along_axis":
            return self._along(args, kwargs, out)
        if name in ("clip", "nan_to_num", "copy", "asarray", "array", "ascontiguousarray", "abs"):
            return wrap(out, births_of(first) if np.shape(out) == np.shape(first) else None, self.recorder)
        return out

    def _along(self, args: Any, kwargs: Any, out: Any) -> Any:
        rows, index = args[0], np.asarray(args[1])
        recorder = self.recorder
        if recorder is None or rows.births is not None or index.shape[-1] != 1:
            return out
        if not recorder.is_distribution(rows.shape[-1]):
            return out
        wide = torch.from_numpy(np.ascontiguousarray(rows.view(np.ndarray)))
        births = recorder.give_birth(wide, torch.from_numpy(index[..., 0].astype(np.int64)))
        return out if births is None else wrap(out, births.numpy()[..., None], recorder)

    def sum(self, axis: Any = None, dtype: Any = None, **more: Any) -> Any:  # type: ignore[override]
        """As NumPy's, with scores."""
        return summed(self, axis, self.view(np.ndarray).sum(axis, dtype, **more), 1.0)

    def mean(self, axis: Any = None, dtype: Any = None, **more: Any) -> Any:  # type: ignore[override]
        """As NumPy's, with scores."""
        out = self.view(np.ndarray).mean(axis, dtype, **more)
        return summed(self, axis, out, np.size(out) / max(self.size, 1))

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """As NumPy's, with scores."""
        return wrap(self.view(np.ndarray).astype(dtype, *args, **kwargs), self.births, self.recorder)

    def copy(self, order: Any = "C") -> Any:
        """As NumPy's, with scores."""
        return wrap(self.view(np.ndarray).copy(order), self.births, self.recorder)

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        """As NumPy's, with scores."""
        births = None if self.births is None else self.births.reshape(*shape, **kwargs)
        return wrap(self.view(np.ndarray).reshape(*shape, **kwargs), births, self.recorder)

    @property
    def T(self) -> Any:  # type: ignore[override]
        """As NumPy's, with scores."""
        return self.transpose()

    def transpose(self, *axes: Any) -> Any:
        """As NumPy's, with scores."""
        return self._moved("transpose", *axes)

    def ravel(self, order: Any = "C") -> Any:
        """As NumPy's, with scores."""
        return self._moved("ravel", order)

    def flatten(self, order: Any = "C") -> Any:
        """As NumPy's, with scores."""
        return self._moved("flatten", order)

    def squeeze(self, axis: Any = None) -> Any:
        """As NumPy's, with scores."""
        return self._moved("squeeze", axis)

    def _moved(self, name: str, *args: Any) -> Any:
        births = None if self.births is None else getattr(self.births, name)(*args)
        return wrap(getattr(self.view(np.ndarray), name)(*args), births, self.recorder)

    def tolist(self) -> Any:
        """As NumPy's, with scores."""
        out = self.view(np.ndarray).tolist()
        if self.births is None:
            return out
        return listed(out, self.births.tolist())

    def item(self, *args: Any) -> Any:
        """As NumPy's, with scores."""
        out = self.view(np.ndarray).item(*args)
        return out if self.births is None or args else listed(out, self.births.item())


def wrap(out: Any, births: Any, recorder: Recorder | None) -> Any:
    """Births for an array or a scalar."""
    if births is None and not isinstance(out, np.ndarray):
        return out
    if not isinstance(out, np.ndarray):
        return listed(float(out), int(births)) if isinstance(out, np.floating) else out
    found = out.view(TrackedArray)
    found.recorder = recorder
    found.births = np.array(births, np.int64) if births is not None and np.shape(births) == out.shape else None
    return found


def bare(value: Any) -> Any:
    """Without births."""
    return value.view(np.ndarray) if isinstance(value, TrackedArray) else value


def bare_all(value: Any) -> Any:
    """Without births, also in tuples and lists."""
    if isinstance(value, (tuple, list)):
        return type(value)(bare_all(part) for part in value)
    return bare(value)


def births_of(value: Any) -> Any:
    """Births in the shape of a value."""
    if isinstance(value, TrackedArray) and value.births is not None:
        return value.births
    if isinstance(value, Tracked):
        return np.int64(value.group.single)
    return np.full(np.shape(value), -1, np.int64)


def merged(recorder: Recorder, name: str, values: Any, shape: Any) -> NDArray[np.int64] | None:
    """Births after a call that works element by element."""
    found: NDArray[np.int64] | None = None
    for value in values:
        if not (isinstance(value, TrackedArray) and value.births is not None) and not isinstance(value, Tracked):
            continue
        wide = np.broadcast_to(births_of(value), shape)
        if found is None:
            found = wide.copy()
            continue
        both = (found >= 0) & (wide >= 0) & (found != wide)
        if (recorder.positions(found[both]) != recorder.positions(wide[both])).any():
            if name in ("add", "subtract"):
                return None
            found = np.maximum(found, wide)  # what was learnt from an earlier one weighs the later one
            continue
        if name in (*PICKED, "where"):
            text = f"{name} at line {recorder.line()}"
            recorder.choices.update(dict.fromkeys(found[both].tolist(), text))
        found = np.where(found >= 0, found, wide)
    return found


def summed(array: TrackedArray, axis: Any, out: Any, factor: float) -> Any:
    """The sum of all elements, or of an axis along which every score is of one position."""
    if array.births is None or array.recorder is None:
        return wrap(out, None, array.recorder)
    if axis is None or array.ndim == 1:
        chosen = (array.births >= 0) & (array.view(np.ndarray) != 0)
        if not chosen.any():
            return out
        values = array.view(np.ndarray)[chosen].astype(np.float64)
        chunk = (array.births[chosen], values, factor, array.recorder.line())
        return Tracked(float(out), Group([chunk]))
    if not isinstance(axis, int):
        return out
    rows = np.moveaxis(array.births, axis, -1)
    positions = array.recorder.positions(rows)
    same = (positions == positions.max(-1, keepdims=True)) | (positions < 0)
    return wrap(out, rows.max(-1), array.recorder) if same.all() else out


def listed(value: Any, births: Any) -> Any:
    """Nested lists of numbers with their births."""
    if isinstance(value, list):
        return [listed(part, birth) for part, birth in zip(value, births, strict=True)]
    return Tracked(value, Group.one(births, value)) if births >= 0 and isinstance(value, float) else value
