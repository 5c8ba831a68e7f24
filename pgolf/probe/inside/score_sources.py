"""Where scores begin: the calls of torch that pick the value of one token from a distribution.

Each is `source(recorder, function, args, kwargs)` and gives the result of the call with its scores, or NotImplemented where the
call is not of that kind.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from pgolf.probe.inside import tags
from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.groups import Tracked
from pgolf.probe.inside.picked_otherwise import OTHER_SOURCES, by_index
from pgolf.probe.inside.tags import put, tag_of
from pgolf.probe.inside.tracked_arrays import TrackedArray

FLAT = ("reshape", "view", "flatten", "ravel")
ROW = "_pgolf_row"
"""Where a flat tensor of tokens keeps the length of the rows that it had."""


def keep_row(name: str, value: Any, out: Any) -> None:
    """Flat tokens remember their rows: where two rows meet, one may seem to go on in the other."""
    if not isinstance(value, torch.Tensor) or not isinstance(out, torch.Tensor) or out.is_floating_point():
        return
    if name in FLAT and out.dim() == 1 and value.dim() > 1:
        out.__dict__[ROW] = value.shape[-1]
    elif ROW in value.__dict__ and out.shape == value.shape:
        out.__dict__[ROW] = value.__dict__[ROW]


def cross_entropy(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> Any:
    """Logits [n, vocabulary, ...] and targets; the mean or sum over them is a group of scores."""
    given = dict(zip(("input", "target", "weight", "size_average", "ignore_index"), args, strict=False)) | kwargs
    rows, targets, reduction = given["input"], given["target"], kwargs.get("reduction", "mean")
    if targets.is_floating_point() or given.get("weight") is not None:
        return NotImplemented
    out = func(*args, **kwargs)
    if rows.dim() > 2:
        rows = rows.movedim(1, -1)
    if recorder.is_distribution(rows.shape[-1]):
        ignored = targets == given.get("ignore_index", -100)
        usable = targets.masked_fill(ignored, 0).where(~ignored, -1)
        births = recorder.give_birth(rows, usable, targets.__dict__.get(ROW, 0))
        reduced(recorder, out, births, rows, targets, reduction)
    return out


def nll_loss(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> Any:
    """Like cross_entropy, of log-probabilities."""
    return cross_entropy(recorder, func, args, kwargs)


def reduced(recorder: Recorder, out: Any, births: Any, rows: Any, targets: Any, reduction: str) -> None:
    """Give a loss its births, or the mean or sum of them."""
    if births is None:
        return
    if reduction == "none":
        put(out, births)
        return
    scores = torch.nn.functional.cross_entropy(
        rows.detach().double().reshape(-1, rows.shape[-1]), targets.reshape(-1), reduction="none"
    )
    factor = 1.0 / max(int((targets != -100).sum()), 1) if reduction == "mean" else 1.0
    group = tags.total(births.reshape(-1), scores, factor, recorder.line())
    put(out, tags.as_groups(group))


def gather(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> Any:
    """Elements of a distribution [..., vocabulary] at one token each."""
    given = dict(zip(("input", "dim", "index"), args, strict=False)) | kwargs
    rows, index = given.get("input", args[0] if args else None), given.get("index", given.get("indices"))
    if not isinstance(rows, torch.Tensor) or not isinstance(index, torch.Tensor) or tag_of(rows) is not None:
        return NotImplemented
    out = func(*args, **kwargs)
    fits = given.get("dim") in (-1, rows.dim() - 1) and index.dim() == rows.dim() and index.shape[-1] == 1
    fits = fits and index.shape[:-1] == rows.shape[:-1] and recorder.is_distribution(rows.shape[-1])
    if fits and rows.is_floating_point():
        births = recorder.give_birth(rows, index.squeeze(-1))
        put(out, None if births is None else births.unsqueeze(-1))
    return out


def take_along_dim(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> Any:
    """The same, with indices before the axis."""
    given = dict(zip(("input", "indices", "dim"), args, strict=False)) | kwargs
    if len(args) == 3:
        args, kwargs = args[:1], {"indices": given["indices"], "dim": given["dim"]}
    return gather(recorder, func, args, kwargs)


def picked(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> Any:
    """`rows[arange(n), targets]` and `row[target]` pick from distributions."""
    rows, index = args
    if tag_of(rows) is not None or not rows.is_floating_point() or rows.dim() == 0:
        return NotImplemented
    if not recorder.is_distribution(rows.shape[-1]):
        return NotImplemented
    out = func(*args, **kwargs)
    births = births_at(recorder, rows, index if isinstance(index, tuple) else (index,))
    if births is not None and births.shape == out.shape:
        put(out, births)
    return out


def births_at(recorder: Recorder, rows: torch.Tensor, index: tuple[Any, ...]) -> torch.Tensor | None:
    """The births of the elements that an index picks from distributions."""
    last = index[-1]
    whole = isinstance(last, torch.Tensor) and last.dtype in (torch.int64, torch.int32)
    if len(index) != rows.dim() or not (whole or isinstance(last, int)):
        return None
    try:
        found = rows[index[:-1]] if len(index) > 1 else rows
        targets = last if isinstance(last, torch.Tensor) else torch.tensor(last)
        if rows.dim() == 1 and targets.dim() == 0:
            births = recorder.give_birth(rows.unsqueeze(0), targets.reshape(1))
            return None if births is None else births.reshape(())
        if targets.dim() == 0:  # one token of one distribution, or of several
            births = recorder.give_birth(found.reshape(-1, found.shape[-1]), targets.expand(found[..., 0].numel()), -1)
            return None if births is None else births.reshape(found.shape[:-1])
        return recorder.give_birth(found, targets) if found.shape[:-1] == targets.shape else None
    except (IndexError, TypeError, RuntimeError):
        return None


def made(recorder: Recorder, func: Any, args: Any, kwargs: Any) -> Any:
    """A tensor made of Python numbers, some of which have scores."""
    data = args[0] if args else kwargs.get("data")
    if isinstance(data, TrackedArray) and data.births is not None:
        out = func(*args, **kwargs)
        put(out, torch.from_numpy(np.ascontiguousarray(data.births)))
        return out
    parts = data if isinstance(data, (list, tuple)) else [data]
    if not any(isinstance(part, Tracked) for part in parts):
        return NotImplemented
    out = func(*args, **kwargs)
    found = np.empty(len(parts), object)
    for at, part in enumerate(parts):
        found[at] = part.group if isinstance(part, Tracked) else None
    put(out, found.reshape(tuple(out.shape)) if out.numel() == len(parts) else None)
    return out


SOURCES = {
    **OTHER_SOURCES,
    "cross_entropy": cross_entropy,
    "nll_loss": nll_loss,
    "gather": gather,
    "take_along_dim": take_along_dim,
    "__getitem__": by_index(picked),
    "tensor": made,
    "as_tensor": made,
}
