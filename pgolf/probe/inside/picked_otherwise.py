"""Scores picked from distributions without an index: by a row that is one at the target, by a flat place, from a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.groups import Group, Tracked
from pgolf.probe.inside.tags import put, tag_of

HOT, WIDE = "_pgolf_hot", "_pgolf_wide"
"""Where a tensor of zeros and ones keeps its tokens, and a flat tensor the width of the distributions that it was."""


def keep_marks(name: str, value: Any, out: Any) -> None:
    """After calls that change no value: rows of ones keep their tokens, flat distributions their width."""
    if not isinstance(value, torch.Tensor) or not isinstance(out, torch.Tensor) or out.dim() == 0:
        return
    tokens = value.__dict__.get(HOT)
    if tokens is not None and out.shape[-1] == value.shape[-1]:
        out.__dict__[HOT] = tokens.reshape(out.shape[:-1])
    elif out.dim() == 1 and value.dim() > 1 and out.is_floating_point() and tag_of(value) is None:
        out.__dict__[WIDE] = value.shape[-1]


def one_hot(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> Any:
    """The rows themselves."""
    out = func(*args, **kwargs)
    tokens = args[0] if args else kwargs.get("tensor")
    if isinstance(tokens, torch.Tensor) and recorder.is_distribution(out.shape[-1]):
        out.__dict__[HOT] = tokens
    return out


def births_of(recorder: Recorder, first: Any, second: Any) -> tuple[torch.Tensor, torch.Tensor] | None:
    """(births, tokens) of distributions and rows of ones, in either order; None where it is none of that."""
    for rows, hot in ((first, second), (second, first)):
        tokens = hot.__dict__.get(HOT) if isinstance(hot, torch.Tensor) else None
        fits = isinstance(rows, torch.Tensor) and rows.is_floating_point() and tag_of(rows) is None
        if tokens is not None and fits and rows.shape == hot.shape:
            births = recorder.give_birth(rows, tokens)
            return None if births is None else (births, tokens)
    return None


def times_hot(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> Any:
    """`rows * one_hot(targets)`, and `where(one_hot, rows, 0)`: scores at the targets, nothing elsewhere."""
    found = births_of(recorder, *args[:2]) if len(args) > 1 else None
    if found is None:
        return NotImplemented
    out = func(*args, **kwargs)
    births, tokens = found
    put(out, torch.full(out.shape, -1).scatter_(-1, tokens.long().unsqueeze(-1), births.unsqueeze(-1)))
    return out


def summed_hot(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> Any:
    """`einsum("btv,btv->bt", rows, one_hot(targets))`."""
    operands = args[1] if len(args) == 2 and isinstance(args[1], (list, tuple)) else args[1:]
    sides = args[0].replace(" ", "").split("->") if args and isinstance(args[0], str) else []
    if len(operands) != 2 or len(sides) != 2 or sides[0] != f"{sides[1]}{sides[0][-1]},{sides[1]}{sides[0][-1]}":
        return NotImplemented
    found = births_of(recorder, *operands)
    if found is None:
        return NotImplemented
    out = func(*args, **kwargs)
    put(out, found[0])
    return out


def selected(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> Any:
    """`rows.masked_select(hot)` and `rows[hot]`: one of each row, in their order."""
    found = births_of(recorder, *args[:2]) if len(args) == 2 and not kwargs else None
    if found is None:
        return NotImplemented
    out = func(*args)
    put(out, found[0].reshape(-1))
    return out


def taken(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> Any:
    """`take(rows, row * vocabulary + target)`, and the same of flat ones with an index."""
    rows, index = args[0], args[1] if len(args) > 1 else kwargs.get("index")
    if not isinstance(rows, torch.Tensor) or not isinstance(index, torch.Tensor) or tag_of(rows) is not None:
        return NotImplemented
    width = rows.__dict__.get(WIDE, rows.shape[-1] if rows.dim() > 1 else 0)
    if not recorder.is_distribution(width) or index.dtype != torch.int64 or not rows.is_floating_point():
        return NotImplemented
    out = func(*args, **kwargs)
    whole = rows.detach().reshape(-1, width)
    put(out, recorder.give_birth(whole[index // width], index % width))
    return out


def by_index(picked: Callable[..., Any]) -> Callable[..., Any]:
    """`rows[...]` in all of these ways."""

    def call(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> Any:
        rows, index = args
        if isinstance(index, torch.Tensor) and isinstance(rows, torch.Tensor):
            way = selected if index.dtype == torch.bool else taken if WIDE in rows.__dict__ else None
            found = NotImplemented if way is None else way(recorder, func, args, kwargs)
            if found is not NotImplemented:
                return found
        return picked(recorder, func, args, kwargs)

    return call


class Row(list[float]):
    """A distribution as a list: an element of it is a score."""

    recorder: Recorder

    def __getitem__(self, index: Any) -> Any:
        value = super().__getitem__(index)
        if not isinstance(index, int):
            return value
        births = self.recorder.give_birth(torch.tensor([list(self)]), torch.tensor([index % len(self)]))
        return value if births is None else Tracked(value, Group.one(int(births[0]), value, self.recorder.line()))


def rows_of(recorder: Recorder, value: Any) -> Any:
    """Nested lists whose innermost ones are distributions."""
    if value and isinstance(value[0], list):
        return [rows_of(recorder, part) for part in value]
    found = Row(value)
    found.recorder = recorder
    return found


OTHER_SOURCES: dict[str, Callable[..., Any]] = {
    "one_hot": one_hot,
    **dict.fromkeys(("mul", "__mul__", "__rmul__", "multiply", "where"), times_hot),
    "einsum": summed_hot,
    "masked_select": selected,
    "take": taken,
}
