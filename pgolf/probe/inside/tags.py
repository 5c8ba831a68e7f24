"""Scores inside tensors: every element knows its birth (`ids`), or the births that were summed up in it (`groups`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.groups import Chunk, Group

TAG = "_pgolf_scores"
GROUPS_LIMIT = 4096
"""Most elements of a tensor of sums."""
Ids = torch.Tensor
Groups = NDArray[np.object_]
Tag = Ids | Groups

MOVED = frozenset(
    """
    __getitem__ view reshape permute transpose expand expand_as gather index_select narrow select squeeze unsqueeze flatten
    repeat repeat_interleave flip roll masked_select take take_along_dim unfold split chunk unbind t movedim swapaxes tile
    view_as reshape_as broadcast_to ravel tensor_split unflatten diagonal
    """.split()  # noqa: SIM905
)
"""Calls that move elements of the first argument and change none."""
JOINED = frozenset(["cat", "concat", "concatenate", "stack", "hstack", "vstack"])
SAME = frozenset(
    """
    to float double half bfloat16 type cpu cuda clone detach contiguous detach_ pin_memory requires_grad_ alias type_as
    data __get__
    """.split()  # noqa: SIM905
)
"""Calls that change none of the values."""
PICKED = frozenset(["min", "max", "amin", "amax", "minimum", "maximum", "fmin", "fmax", "where"])
"""Calls that choose among scores."""
PRODUCTS = {"matmul": "", "__matmul__": "", "mv": "", "mm": "", "bmm": "", "einsum": "", "__rmatmul__": "flipped"}
"""Calls that take weighted sums over an axis."""
ADDED = frozenset(
    """
    __iadd__ add_ __add__ __radd__ add __isub__ sub_ __sub__ __rsub__ sub rsub subtract
    """.split()  # noqa: SIM905
)
SUMMED = frozenset(("sum", "nansum", "mean", "nanmean"))


def tag_of(value: Any) -> Tag | None:
    """The scores of a tensor."""
    return value.__dict__.get(TAG) if isinstance(value, torch.Tensor) else None


def put(value: Any, tag: Tag | None) -> None:
    """Give a tensor its scores; tags of another shape are none, nor are groups without any."""
    if isinstance(tag, np.ndarray) and all(group is None for group in tag.reshape(-1)):
        tag = None
    if isinstance(value, torch.Tensor) and tag is not None and tuple(tag.shape) == tuple(value.shape):
        value.__dict__[TAG] = tag
    elif isinstance(value, torch.Tensor):
        value.__dict__.pop(TAG, None)


def births_in(tag: Tag | None) -> NDArray[np.int64]:
    """All births of a tag."""
    if tag is None:
        return np.zeros(0, np.int64)
    if isinstance(tag, torch.Tensor):
        return tag.reshape(-1).numpy()
    parts = [chunk[0] for chunk in chunks_of(tag)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def chunks_of(tag: Groups) -> list[Chunk]:
    """What was summed up in any element."""
    found: list[Chunk] = []
    for group in tag.reshape(-1):
        found += group.chunks if group is not None else []
    return found


def ids_like(value: Any) -> Any:
    """The births of an argument: -1 for what is no score."""
    if isinstance(value, torch.Tensor):
        tag = tag_of(value)
        return tag if isinstance(tag, torch.Tensor) else torch.full(value.shape, -1, dtype=torch.int64)
    return torch.tensor(-1) if isinstance(value, (int, float)) else value


def moved(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Births after a call that moves elements of its first argument; None where it cannot be done to births."""
    tag = tag_of(args[0])
    if isinstance(tag, np.ndarray):
        return _moved_groups(function.__name__, tag, args[1:])
    try:
        return function(tag, *args[1:], **kwargs)
    except (RuntimeError, TypeError, ValueError, IndexError):
        return None


def _moved_groups(name: str, tag: Groups, more: Sequence[Any]) -> Any:
    if name == "__getitem__" and all(isinstance(part, (int, slice)) for part in _tuple(more[0])):
        found = tag[more[0]]
        return as_groups(found)
    return tag.reshape(-1) if name in ("flatten", "ravel") else _reshaped(name, tag, more)


def _reshaped(name: str, tag: Groups, more: Sequence[Any]) -> Any:
    if name in ("view", "reshape"):
        shape = more[0] if more and isinstance(more[0], (tuple, list, torch.Size)) else more
        return tag.reshape(tuple(shape))
    return tag.squeeze() if name == "squeeze" and not more else None


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def as_groups(value: Any) -> Groups:
    """An array of groups, also of one alone."""
    if isinstance(value, np.ndarray):
        return value
    found = np.empty((), object)
    found[()] = value
    return found


def groups_from(tag: Tag, values: torch.Tensor, line: int) -> Groups:
    """Every element's scores as a group."""
    if isinstance(tag, np.ndarray):
        return tag
    found = np.empty(tuple(tag.shape), object)
    numbers = values.detach().double().numpy(force=True)
    for at in np.ndindex(found.shape):
        birth = int(tag[at])
        found[at] = Group.one(birth, float(numbers[at]), line) if birth >= 0 else None
    return found


def total(tag: Tag, values: torch.Tensor, factor: float, line: int) -> Group | None:
    """All elements summed up, times a factor."""
    if isinstance(tag, np.ndarray):
        chunks = chunks_of(tag)
        return Group(chunks).scaled(factor) if chunks else None
    births = tag.reshape(-1).numpy()
    numbers = values.detach().double().reshape(-1).numpy(force=True)
    chosen = (births >= 0) & (numbers != 0.0)
    if not chosen.any():
        return None
    return Group([(births[chosen], numbers[chosen], factor, line)])


def summed(recorder: Recorder, name: str, value: torch.Tensor, dims: Any, out: torch.Tensor) -> Tag | None:
    """Scores after a sum or mean over some axes.

    Axes along which every score is of one position are no sum of positions: their result is a score as well.
    """
    tag = tag_of(value)
    if tag is None or value.numel() == 0:
        return None
    factor = out.numel() / value.numel() if name in ("mean", "nanmean") else 1.0
    axes = tuple(range(value.dim())) if dims is None else tuple(axis % value.dim() for axis in _tuple(_listed(dims)))
    line = recorder.line()
    if len(axes) == value.dim():
        return as_groups(total(tag, value, factor, line)).reshape(tuple(out.shape))
    kept = [axis for axis in range(value.dim()) if axis not in axes]
    if isinstance(tag, torch.Tensor):
        rows = tag.permute(*kept, *axes).reshape(*(tag.shape[axis] for axis in kept), -1)
        merged = one_position(recorder, rows)
        if merged is not None:
            return merged.reshape(out.shape)
    if out.numel() > GROUPS_LIMIT:
        return None
    found = np.empty(tuple(value.shape[axis] for axis in kept), object)
    numbers = value.permute(*kept, *axes)
    order = tag.permute(*kept, *axes) if isinstance(tag, torch.Tensor) else tag.transpose(*kept, *axes)
    for at in np.ndindex(found.shape):
        part = order[at]
        found[at] = total(part if isinstance(part, torch.Tensor) else as_groups(part), numbers[at], factor, line)
    return found.reshape(tuple(out.shape))


def _listed(dims: Any) -> Any:
    return tuple(dims) if isinstance(dims, (list, tuple)) else dims


def one_position(recorder: Recorder, rows: torch.Tensor) -> torch.Tensor | None:
    """The first birth of each row [..., n] where all of a row are of one position; None where any row has several."""
    positions = torch.from_numpy(recorder.positions(rows.numpy()))
    highest = positions.amax(-1, keepdim=True)
    if not ((positions == highest) | (positions < 0)).all():
        return None
    return rows.amax(-1)


def product(recorder: Recorder, name: str, args: Sequence[Any]) -> Ids | None:
    """Scores after a product of two tensors: sums over axes along which scores are of one position.

    Where both have scores, the earlier ones are weights that were learnt from them.
    """
    if name == "einsum":
        equation, operands = args[0], args[1] if isinstance(args[1], (list, tuple)) else args[1:]
    else:
        operands = args[1::-1] if PRODUCTS[name] else args[:2]
        equation = equation_of(*(operand.dim() for operand in operands))
    sides, _, kept = equation.replace(" ", "").partition("->")
    parts = sides.split(",")
    found = [(int(tag.max()), at) for at, tag in enumerate(map(tag_of, operands)) if isinstance(tag, torch.Tensor)]
    tagged = [at for _, at in sorted(found)[-1:]]
    if len(parts) != 2 or not tagged or "." in equation or not {*kept} <= {*parts[tagged[0]]}:
        return None
    own = parts[tagged[0]]
    tag = tag_of(operands[tagged[0]])
    assert isinstance(tag, torch.Tensor)
    axes = [own.index(letter) for letter in kept] + [at for at, letter in enumerate(own) if letter not in kept]
    shape = [tag.shape[axis] for axis in axes[: len(kept)]]
    return one_position(recorder, tag.permute(axes).reshape(*shape, -1))


def equation_of(first: int, second: int) -> str:
    """A product of tensors of so many axes, as Einstein wrote it."""
    batch = "abcdefgh"[: max(first, second, 2) - 2]
    left = "k" if first == 1 else f"{batch[-(first - 2) :] if first > 2 else ''}mk"
    right = "k" if second == 1 else f"{batch[-(second - 2) :] if second > 2 else ''}kn"
    return f"{left},{right}->{batch}{'m' * (first > 1)}{'n' * (second > 1)}"


def broadcast(recorder: Recorder, name: str, values: Sequence[Any], out: torch.Tensor) -> Ids | None:
    """Scores after a call that works element by element: an element of two scores of one position stays a score.

    Of two positions it is a sum, of which nothing is known here; or one, the later, that what was learnt from the other weighs.
    """
    tags = [tag_of(value) for value in values]
    ids = [tag for tag in tags if isinstance(tag, torch.Tensor)]
    if not ids:
        return None
    try:
        wide = [tag.expand(out.shape) if tag.dim() <= out.dim() else tag.reshape(out.shape) for tag in ids]
    except RuntimeError:
        return None
    found = wide[0].clone()
    for other in wide[1:]:
        both = (found >= 0) & (other >= 0) & (found != other)
        if both.any():
            first, second = recorder.positions(found[both].numpy()), recorder.positions(other[both].numpy())
            if name in PICKED and (first == second).all():
                recorder.chosen(found[both].numpy(), name)
            elif (first != second).any():
                if name in ADDED:
                    return None
                found = torch.maximum(found, other)
        found = torch.where(found >= 0, found, other)
    return found
