"""Scores on their way into a total: which positions a number is made of, and with which values.

A *birth* is one loss of one target token, the moment a script picks it from a distribution; births are numbered in the order
they come. A `Group` says of a number which births it holds: `mean = (3.1 of birth 7 + 2.9 of birth 8) / 2`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Chunk = tuple[NDArray[np.int64], NDArray[np.float64], float, int]
"""Births, their values as they were when summed up, the factor of all of them, and the line of the script that summed up."""


class Group:
    """A sum of scores.

    Args:
        chunks: what was summed up, in that order.
    """

    __slots__ = ("chunks",)

    def __init__(self, chunks: list[Chunk]):
        self.chunks = chunks

    @staticmethod
    def one(birth: int, value: float, line: int = 0) -> Group:
        """A single score."""
        return Group([(np.array([birth]), np.array([value]), 1.0, line)])

    @property
    def single(self) -> int:
        """The birth, where it is one score alone; else -1."""
        if len(self.chunks) == 1 and len(self.chunks[0][0]) == 1:
            return int(self.chunks[0][0][0])
        return -1

    def scaled(self, factor: float) -> Group:
        """Times a number."""
        return Group([(births, values, scale * factor, line) for births, values, scale, line in self.chunks])

    def plus(self, other: Group | None, sign: float = 1.0) -> Group:
        """With another group's scores."""
        if other is None:
            return self
        return Group(self.chunks + (other if sign == 1.0 else other.scaled(sign)).chunks)


def group_of(value: Any) -> Group | None:
    """The scores in a Python number."""
    return value.group if isinstance(value, Tracked) else None


class Tracked(float):
    """A Python float that knows its scores; arithmetic keeps them, and printing reports them."""

    group: Group
    report: Callable[[float, str, Group], None] = staticmethod(lambda value, text, group: None)
    compared: Callable[[Group, Group], bool] = staticmethod(lambda first, second: False)

    def __new__(cls, value: float, group: Group) -> Tracked:
        found = super().__new__(cls, value)
        found.group = group
        return found

    def __format__(self, form: str) -> str:
        text = format(float(self), form)
        Tracked.report(float(self), text, self.group)
        return text

    def __str__(self) -> str:
        return self.__format__("")

    def __repr__(self) -> str:
        return self.__format__("")

    def item(self) -> Tracked:
        """As NumPy's numbers have it."""
        return self

    def __reduce__(self) -> Any:
        return float, (float(self),)

    def __round__(self, digits: Any = None) -> Any:
        value = round(float(self), digits)
        return Tracked(value, self.group) if isinstance(value, float) else value

    def __lt__(self, other: Any) -> bool:
        return compared(float.__lt__(self, other), self, other)

    def __gt__(self, other: Any) -> bool:
        return compared(float.__gt__(self, other), self, other)

    def __le__(self, other: Any) -> bool:
        return compared(float.__le__(self, other), self, other)

    def __ge__(self, other: Any) -> bool:
        return compared(float.__ge__(self, other), self, other)

    def __neg__(self) -> Any:
        return linear(-float(self), self, -1.0)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return linear(abs(float(self)), self, 1.0 if self >= 0 else -1.0)

    def __add__(self, other: Any) -> Any:
        return added(self, other, 1.0)

    def __radd__(self, other: Any) -> Any:
        return added(self, other, 1.0)

    def __sub__(self, other: Any) -> Any:
        return added(self, other, -1.0)

    def __rsub__(self, other: Any) -> Any:
        return added(-self, other, 1.0)

    def __mul__(self, other: Any) -> Any:
        return times(self, other)

    def __rmul__(self, other: Any) -> Any:
        return times(self, other)

    def __truediv__(self, other: Any) -> Any:
        if not isinstance(other, (int, float)):
            return NotImplemented
        return linear(float(self) / float(other), self, 1.0 / float(other)) if other else float(self) / float(other)

    def __rtruediv__(self, other: Any) -> Any:
        return bent(float.__rtruediv__(self, other), self)

    def __pow__(self, other: Any, modulo: None = None) -> Any:
        return bent(float.__pow__(self, float(other)), self)

    def __rpow__(self, other: Any, modulo: None = None) -> Any:
        return bent(float.__rpow__(self, float(other)), self)


def compared(found: bool, first: Tracked, second: Any) -> bool:
    """What comes of comparing two totals: the contrary, where the recorder asks for it."""
    group = group_of(second)
    return found if group is None else found != Tracked.compared(first.group, group)


def linear(value: float, source: Tracked, factor: float) -> Any:
    """A multiple of a tracked number; one score alone takes the new value as its own."""
    birth = source.group.single
    if birth >= 0 and source.group.chunks[0][2] == 1.0:
        return Tracked(value, Group.one(birth, value, source.group.chunks[0][3]))
    return Tracked(value, source.group.scaled(factor))


def times(source: Tracked, other: Any) -> Any:
    """A product; of two scores the later one, which what was learnt from the other weighs."""
    if not isinstance(other, (int, float)):
        return NotImplemented
    if isinstance(other, Tracked) and other.group.single > source.group.single:
        source, other = other, source
    return linear(float(source) * float(other), source, float(other))


def added(source: Tracked, other: Any, sign: float) -> Any:
    """A sum; a score alone and an untracked number are a score alone."""
    if not isinstance(other, (int, float)):
        return NotImplemented
    value = float(source) + sign * float(other)
    group = group_of(other)
    if group is not None:
        return Tracked(value, source.group.plus(group, sign))
    if source.group.single >= 0 and other:
        return bent(value, source)
    return Tracked(value, source.group)


def bent(value: Any, source: Tracked) -> Any:
    """Any function of a number: a score alone stays one, with the new value; of a sum nothing is known any more."""
    birth = source.group.single
    if birth >= 0 and isinstance(value, float):
        return Tracked(value, Group.one(birth, value, source.group.chunks[0][3]))
    return value


def keep(value: Any = 0.0) -> Any:
    """`float(value)` that keeps scores: what calls of `float` in a script become."""
    if isinstance(value, Tracked):
        return value
    found = value.__float__() if hasattr(value, "__float__") else float(value)
    return found if isinstance(found, Tracked) else float(found)


def watch_math() -> None:
    """Let the functions of `math` that scores go through keep them."""
    for name in ("exp", "log", "log2", "log10", "log1p", "expm1", "sqrt", "pow", "fabs"):
        setattr(math, name, _kept(getattr(math, name)))
    math.fsum = kept_sum


def kept_sum(values: Any) -> Any:
    """`math.fsum` that keeps scores."""
    return sum(values, 0.0)


def _kept(function: Callable[..., float]) -> Callable[..., Any]:
    def call(first: Any, *more: Any) -> Any:
        value = function(first, *more)
        return bent(value, first) if isinstance(first, Tracked) else value

    return call
