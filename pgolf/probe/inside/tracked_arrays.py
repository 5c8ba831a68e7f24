"""Scores inside NumPy arrays, as `tags` has them inside tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.comparisons import note_pairs
from pgolf.probe.inside.groups import Group, Tracked

PICKED = ("minimum", "maximum", "fmin", "fmax", "where")
COMPARED = ("less", "greater", "less_equal", "greater_equal")
METHODS = ("transpose", "ravel", "flatten", "squeeze", "swapaxes", "repeat")


class Called(NamedTuple):
    """A call of NumPy that has been made."""

    recorder: Recorder | None
    func: Any
    args: Any
    kwargs: Any
    out: Any

    @property
    def first(self) -> Any:
        return self.args[0] if self.args else None


class TrackedArray(np.ndarray[Any, Any]):
    """An array whose elements know their births; one without births may be a distribution to pick from.

    Attributes:
        functions: name of a function of NumPy -> its result with scores; `array_functions` has them.
        births: of every element, -1 for none; None where there are none at all.
        totals: the scores that were summed up in every element, None for those without; or None.
        recorder: takes births of what is picked.
    """

    functions: ClassVar[dict[str, Callable[[Called], Any]]] = {}
    births: NDArray[np.int64] | None
    totals: NDArray[np.object_] | None
    recorder: Recorder | None

    @staticmethod
    def of(array: NDArray[Any], tag: Any, recorder: Recorder) -> TrackedArray:
        """An array with the births of a tensor, or with what was summed up in it."""
        found = array.view(TrackedArray)
        found.births = tag.numpy().copy() if isinstance(tag, torch.Tensor) else None
        found.totals = tag if isinstance(tag, np.ndarray) else None
        found.recorder = recorder
        return found

    def __array_finalize__(self, source: Any) -> None:
        self.recorder = getattr(source, "recorder", None)
        self.births = self.totals = None

    def __getitem__(self, index: Any) -> Any:
        out = self.view(np.ndarray)[index]
        if self.totals is not None and np.ndim(out) == 0:
            return Tracked(float(out), self.totals[index] or Group([]))
        if self.births is not None:
            return wrap(out, self.births[index], self.recorder)
        return wrap(out, self._pick(index), self.recorder)

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
        group = value.group if isinstance(value, Tracked) else None
        if self.totals is None and group is not None and group.single < 0:
            self.totals = np.empty(self.shape, object)
        if self.totals is not None and not isinstance(value, TrackedArray):
            self.totals[index] = group
            return
        self.totals = None
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
        if ufunc.__name__ in COMPARED and all(isinstance(value, TrackedArray) for value in inputs):
            first, second = np.broadcast_arrays(*map(births_of, inputs))
            note_pairs(recorder, first, second, ufunc.__name__)
            return out
        births = merged(recorder, ufunc.__name__, inputs, np.shape(out))
        if "out" in kwargs and isinstance(kwargs["out"][0], TrackedArray):
            kwargs["out"][0].births = births
            return kwargs["out"][0]
        return wrap(out, births, recorder)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        out = func(*bare_all(args), **{key: bare_all(value) for key, value in kwargs.items()})
        flow = TrackedArray.functions.get(func.__name__)
        return out if flow is None else flow(Called(self.recorder, func, args, kwargs, out))

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

    def argmin(self, *args: Any, **kwargs: Any) -> Any:
        """As NumPy's; what is chosen by it is noted."""
        return np.argmin(self, *args, **kwargs)

    def argmax(self, *args: Any, **kwargs: Any) -> Any:
        """As NumPy's; what is chosen by it is noted."""
        return np.argmax(self, *args, **kwargs)

    def __float__(self) -> Any:
        return self.item()

    def __format__(self, form: str) -> str:
        return format(self.item(), form) if self.ndim == 0 else super().__format__(form)

    def tolist(self) -> Any:
        """As NumPy's, with scores."""
        out = self.view(np.ndarray).tolist()
        if self.totals is not None and self.ndim == 1:
            return [self[at] for at in range(len(self))]
        return out if self.births is None else listed(out, self.births.tolist())

    def item(self, *args: Any) -> Any:
        """As NumPy's, with scores."""
        out = self.view(np.ndarray).item(*args)
        if self.totals is not None and self.size == 1 and self.totals.reshape(-1)[0] is not None:
            return Tracked(out, self.totals.reshape(-1)[0])
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
        if name in PICKED:
            recorder.chosen(found[both], name)
        found = np.where(found >= 0, found, wide)
    return found


def summed(array: TrackedArray, axis: Any, out: Any, factor: float) -> Any:
    """The sum of all elements, or of an axis along which every score is of one position."""
    if array.totals is not None and np.ndim(out) == 0:
        total = Group([])
        for group in array.totals.reshape(-1):
            total = total.plus(group)
        return Tracked(float(out), total.scaled(factor)) if total.chunks else out
    if array.births is None or array.recorder is None:
        return wrap(out, None, array.recorder)
    if np.ndim(out) == 0:
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


def method_that_moves(name: str) -> Callable[..., Any]:
    """A method of arrays, with scores."""

    def call(self: TrackedArray, *args: Any, **kwargs: Any) -> Any:
        births = None if self.births is None else getattr(self.births, name)(*args, **kwargs)
        return wrap(getattr(self.view(np.ndarray), name)(*args, **kwargs), births, self.recorder)

    return call


for method in METHODS:
    setattr(TrackedArray, method, method_that_moves(method))
