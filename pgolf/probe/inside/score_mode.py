"""Follows scores through every call of torch, and moves what asks for a GPU to the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from pgolf.probe.inside import tags
from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.graph_stand_in import Tape
from pgolf.probe.inside.groups import Tracked
from pgolf.probe.inside.tags import Tag, births_in, put, tag_of
from pgolf.probe.inside.tracked_arrays import TrackedArray

SCALED = frozenset(
    """
    __imul__ mul_ __mul__ __rmul__ mul multiply __itruediv__ div_ __truediv__ div divide
    """.split()  # noqa: SIM905
)
NUMBERS = frozenset(
    """
    item tolist __float__ numpy __array__ __format__ __repr__ __str__
    """.split()  # noqa: SIM905
)
QUIET = frozenset(
    """
    __get__ size dim numel __len__ stride is_floating_point element_size __hash__ backward
    """.split()  # noqa: SIM905
)
GPU = ("cuda", "xpu")


FLAT = ("reshape", "view", "flatten", "ravel")
ROW = "_pgolf_row"
"""Where a flat tensor of tokens keeps the length of the rows that it had."""
SHORT = (torch.bfloat16, torch.float16)


def on_cpu(value: Any) -> Any:
    """The CPU for a GPU and 32 bits for 16, which a CPU is slow with; anything else as it is."""
    if isinstance(value, torch.dtype):
        return torch.float32 if value in SHORT else value
    if isinstance(value, torch.device):
        return torch.device("cpu") if value.type in GPU else value
    if isinstance(value, str) and value.split(":")[0] in GPU:
        return "cpu"
    return value


class ScoreMode(TorchFunctionMode):
    """Active while a script runs.

    Args:
        recorder: takes what is found.
    """

    def __init__(self, recorder: Recorder):
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = self._call(func, args, dict(kwargs or {}))
        if Tape.calls is not None:
            Tape.calls.append((func, args, kwargs or {}, out))
        return out

    def _call(self, func: Any, args: Any, kwargs: Any) -> Any:
        name = getattr(func, "__name__", "")
        kwargs.pop("pin_memory", None)
        if "device" in kwargs:
            kwargs["device"] = on_cpu(kwargs["device"])
        if "dtype" in kwargs:
            kwargs["dtype"] = on_cpu(kwargs["dtype"])
        if name in ("to", "type", "cuda", "pin_memory"):
            if name in ("cuda", "pin_memory"):
                return args[0]
            args = (args[0], *(on_cpu(part) for part in args[1:]))
        if name in ("bfloat16", "half") and args:
            func, name = torch.Tensor.float, "float"
        if name in ("backward", "grad", "autograd_backward"):
            self._learn(args, kwargs)
            return func(*args, **kwargs)
        special = getattr(self, f"_do_{name}", None)
        if special is not None:
            done, out = special(func, args, kwargs)
            if done:
                return out
        if name in NUMBERS:
            return self._number(func, name, args, kwargs)
        out = func(*args, **kwargs)
        if name in FLAT or name in tags.SAME:
            keep_row(name, args[0] if args else None, out)
        if name not in QUIET and any(
            tag_of(value) is not None or isinstance(value, Tracked) for value in flat(args, kwargs)
        ):
            self._follow(func, name, args, kwargs, out)
        return out

    # Where scores begin.

    def _do_cross_entropy(self, func: Any, args: Any, kwargs: Any) -> tuple[bool, Any]:
        """Logits [n, vocabulary, ...] and targets; the mean or sum over them is a group of scores."""
        given = dict(zip(("input", "target", "weight", "size_average", "ignore_index"), args, strict=False)) | kwargs
        rows, targets, reduction = given["input"], given["target"], kwargs.get("reduction", "mean")
        if targets.is_floating_point() or given.get("weight") is not None:
            return False, None
        out = func(*args, **kwargs)
        if rows.dim() > 2:
            rows = rows.movedim(1, -1)
        if self.recorder.is_distribution(rows.shape[-1]):
            ignored = targets == given.get("ignore_index", -100)
            usable = targets.masked_fill(ignored, 0).where(~ignored, -1)
            births = self.recorder.give_birth(rows, usable, targets.__dict__.get(ROW, 0))
            self._reduced(out, births, rows, targets, reduction)
        return True, out

    def _do_nll_loss(self, func: Any, args: Any, kwargs: Any) -> tuple[bool, Any]:
        """Like cross_entropy, of log-probabilities."""
        return self._do_cross_entropy(func, args, kwargs)

    def _reduced(self, out: Any, births: Any, rows: Any, targets: Any, reduction: str) -> None:
        if births is None:
            return
        if reduction == "none":
            put(out, births)
            return
        scores = torch.nn.functional.cross_entropy(
            rows.detach().double().reshape(-1, rows.shape[-1]), targets.reshape(-1), reduction="none"
        )
        factor = 1.0 / max(int((targets != -100).sum()), 1) if reduction == "mean" else 1.0
        group = tags.total(births.reshape(-1), scores, factor, self.recorder.line())
        put(out, tags.as_groups(group))

    def _do_gather(self, func: Any, args: Any, kwargs: Any) -> tuple[bool, Any]:
        """Elements of a distribution [..., vocabulary] at one token each."""
        given = dict(zip(("input", "dim", "index"), args, strict=False)) | kwargs
        rows, index = given.get("input", args[0] if args else None), given.get("index", given.get("indices"))
        if not isinstance(rows, torch.Tensor) or not isinstance(index, torch.Tensor) or tag_of(rows) is not None:
            return False, None
        out = func(*args, **kwargs)
        fits = given.get("dim") in (-1, rows.dim() - 1) and index.dim() == rows.dim() and index.shape[-1] == 1
        fits = fits and index.shape[:-1] == rows.shape[:-1] and self.recorder.is_distribution(rows.shape[-1])
        if fits and rows.is_floating_point():
            births = self.recorder.give_birth(rows, index.squeeze(-1))
            put(out, None if births is None else births.unsqueeze(-1))
        return True, out

    def _do_take_along_dim(self, func: Any, args: Any, kwargs: Any) -> tuple[bool, Any]:
        """The same, with indices before the axis."""
        given = dict(zip(("input", "indices", "dim"), args, strict=False)) | kwargs
        if len(args) == 3:
            args, kwargs = args[:1], {"indices": given["indices"], "dim": given["dim"]}
        return self._do_gather(func, args, kwargs)

    def _do___getitem__(self, func: Any, args: Any, kwargs: Any) -> tuple[bool, Any]:
        """`rows[arange(n), targets]` and `row[target]` pick from distributions."""
        rows, index = args
        if tag_of(rows) is not None or not rows.is_floating_point() or rows.dim() == 0:
            return False, None
        if not self.recorder.is_distribution(rows.shape[-1]):
            return False, None
        out = func(*args, **kwargs)
        births = self._picked(rows, index if isinstance(index, tuple) else (index,))
        if births is not None and births.shape == out.shape:
            put(out, births)
        return True, out

    def _picked(self, rows: torch.Tensor, index: tuple[Any, ...]) -> torch.Tensor | None:
        last = index[-1]
        whole = isinstance(last, torch.Tensor) and last.dtype in (torch.int64, torch.int32)
        if len(index) != rows.dim() or not (whole or isinstance(last, int)):
            return None
        try:
            found = rows[index[:-1]] if len(index) > 1 else rows
            targets = last if isinstance(last, torch.Tensor) else torch.tensor(last)
            if rows.dim() == 1 and targets.dim() == 0:
                births = self.recorder.give_birth(rows.unsqueeze(0), targets.reshape(1))
                return None if births is None else births.reshape(())
            if targets.dim() == 0:  # one token of one distribution, or of several
                births = self.recorder.give_birth(
                    found.reshape(-1, found.shape[-1]), targets.expand(found[..., 0].numel()), -1
                )
                return None if births is None else births.reshape(found.shape[:-1])
            return self.recorder.give_birth(found, targets) if found.shape[:-1] == targets.shape else None
        except (IndexError, TypeError, RuntimeError):
            return None

    # Where they come back.

    def _do_tensor(self, func: Any, args: Any, kwargs: Any) -> tuple[bool, Any]:
        """A tensor made of Python numbers, some of which have scores."""
        data = args[0] if args else kwargs.get("data")
        if isinstance(data, TrackedArray) and data.births is not None:
            out = func(*args, **kwargs)
            put(out, torch.from_numpy(np.ascontiguousarray(data.births)))
            return True, out
        parts = data if isinstance(data, (list, tuple)) else [data]
        if not any(isinstance(part, Tracked) for part in parts):
            return False, None
        out = func(*args, **kwargs)
        found = np.empty(len(parts), object)
        for at, part in enumerate(parts):
            found[at] = part.group if isinstance(part, Tracked) else None
        put(out, found.reshape(tuple(out.shape)) if out.numel() == len(parts) else None)
        return True, out

    _do_as_tensor = _do_tensor

    # Where they go.

    def _follow(self, func: Any, name: str, args: Any, kwargs: Any, out: Any) -> None:
        first = args[0] if args else None
        if name in tags.SUMMED and isinstance(first, torch.Tensor) and tag_of(first) is not None:
            dims = kwargs.get("dim", kwargs.get("axis", args[1] if len(args) > 1 else None))
            dims = None if isinstance(dims, torch.dtype) or dims == () else dims
            put(out, tags.summed(self.recorder, name, first, dims, out))
        elif name in tags.JOINED:
            self._join(func, args, kwargs, out)
        elif name == "__setitem__":
            self._set(args)
        elif name == "copy_":
            put(args[0], spread(tag_of(args[1]), args[0]))
        elif name in ("index_add_", "scatter_add_", "index_add", "scatter_add"):
            self._scatter(args, kwargs, out)
        elif name in tags.MOVED and tag_of(first) is not None:
            self._give(out, tags.moved(func, args, kwargs))
        elif name in tags.SAME and tag_of(first) is not None:
            put(out, tag_of(first))
        elif name in ("min", "max", "amin", "amax", "logsumexp") and len(args) + len(kwargs) > 1 and not two(args):
            self._chosen(name, args, kwargs, out)
        elif name in tags.PRODUCTS and isinstance(out, torch.Tensor):
            put(out, tags.product(self.recorder, name, args))
        elif name in ("dot", "inner", "vdot"):
            weighted = args[0] * args[1]
            put(weighted, tags.broadcast(self.recorder, name, args, weighted))
            if tag_of(weighted) is not None:
                put(out, tags.summed(self.recorder, "sum", weighted, None, out))
        elif isinstance(out, torch.Tensor):
            self._elementwise(name, args, kwargs, out)
            if isinstance(first, torch.Tensor) and first is out:
                self._in_base(first)

    def _elementwise(self, name: str, args: Any, kwargs: Any, out: torch.Tensor) -> None:
        values = list(flat(args, kwargs))
        if any(isinstance(tag_of(value), np.ndarray) for value in values):
            put(out, self._sum_of_groups(name, args, kwargs, out))
        else:
            put(out, tags.broadcast(self.recorder, name, values, out))

    def _in_base(self, view: torch.Tensor) -> None:
        """A number of a tensor of sums that was changed in place: the tensor knows it as well."""
        base, tag = view._base, tag_of(view)
        if base is None or view.numel() != 1 or not isinstance(tag, np.ndarray) or not base.is_contiguous():
            return
        own = tag_of(base)
        whole = own.copy() if isinstance(own, np.ndarray) else np.empty(tuple(base.shape), object)
        whole.reshape(-1)[view.storage_offset() - base.storage_offset()] = tag.reshape(-1)[0]
        put(base, whole)

    def _sum_of_groups(self, name: str, args: Any, kwargs: Any, out: torch.Tensor) -> Tag | None:
        """Sums and multiples of tensors of sums; anything else is no sum of scores any more."""
        line = self.recorder.line()
        left, right = args[0], args[1] if len(args) > 1 else 0.0
        if name in ("neg", "__neg__"):
            return scale(tag_of(left), -1.0, out)
        if name in tags.ADDED and not kwargs:
            sign = -1.0 if "sub" in name else 1.0
            first, second = (right, left) if name in ("__rsub__", "rsub") else (left, right)
            return plus(groups(first, out, line), groups(second, out, line), sign)
        if name in SCALED and not kwargs:
            value, factor = (left, right) if tag_of(left) is not None else (right, left)
            if tag_of(factor) is not None or (value is right and "div" in name):
                return None
            numbers = factor.detach().double().numpy(force=True) if isinstance(factor, torch.Tensor) else float(factor)
            return scale(tag_of(value), 1.0 / numbers if "div" in name else numbers, out)
        return None

    def _join(self, func: Any, args: Any, kwargs: Any, out: Any) -> None:
        parts = list(args[0])
        if any(isinstance(tag_of(part), np.ndarray) for part in parts):
            line = self.recorder.line()
            if all(part.numel() == 1 for part in parts) and out.numel() == len(parts):
                found = np.empty(len(parts), object)
                for at, part in enumerate(parts):
                    tag = groups(part, part, line)
                    found[at] = None if tag is None else tag.reshape(-1)[0]
                put(out, found.reshape(tuple(out.shape)))
            return
        self._give(out, func([tags.ids_like(part) for part in parts], *args[1:], **kwargs))

    def _set(self, args: Any) -> None:
        target, index, value = args
        tag = tag_of(value)
        if tag is None and isinstance(value, Tracked):
            tag = tags.as_groups(value.group)
        own = tag_of(target)
        if isinstance(tag, np.ndarray) or isinstance(own, np.ndarray):
            if own is None:
                own = np.empty(tuple(target.shape), object)
            if isinstance(own, np.ndarray) and isinstance(index, (int, slice)):
                own[index] = tag.reshape(-1)[0] if isinstance(tag, np.ndarray) and tag.size == 1 else None
                put(target, own)
            return
        own = own if own is not None else torch.full(target.shape, -1, dtype=torch.int64)
        own[index] = tags.ids_like(value)
        put(target, own)

    def _scatter(self, args: Any, kwargs: Any, out: torch.Tensor) -> None:
        target, dim, index, source = (*args, *kwargs.values())[:4]
        tag = tag_of(source)
        if dim not in (0, -1) or target.dim() != 1 or tag is None:
            return
        own = tag_of(target)
        found = np.empty(tuple(target.shape), object) if not isinstance(own, np.ndarray) else own.copy()
        parts = tags.groups_from(tag, source, self.recorder.line())
        for at, place in enumerate(index.tolist()):
            if parts[at] is not None:
                found[place] = parts[at].plus(found[place])
        put(out, found)

    def _chosen(self, name: str, args: Any, kwargs: Any, out: Any) -> None:
        """The least over one axis of scores of the same position is a score."""
        dim = kwargs.get("dim", args[1] if len(args) > 1 else None)
        tag = tag_of(args[0])
        if not isinstance(tag, torch.Tensor) or not isinstance(dim, int):
            return
        births = tags.one_position(self.recorder, tag.movedim(dim, -1))
        values = out if isinstance(out, torch.Tensor) else out[0]
        if births is not None and births.numel() == values.numel():
            put(values, births.reshape(values.shape))
            if name != "logsumexp":
                text = f"{name} at line {self.recorder.line()}"
                self.recorder.choices.update(dict.fromkeys(births.reshape(-1).tolist(), text))

    def _give(self, out: Any, found: Any) -> None:
        if isinstance(out, torch.Tensor):
            put(out, found)
        elif isinstance(out, (tuple, list)) and isinstance(found, (tuple, list)):
            for one, tag in zip(out, found, strict=False):
                put(one, tag)

    # Where they leave torch.

    def _number(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        value, tag = args[0], tag_of(args[0])
        out = func(*args, **kwargs)
        if name in ("numpy", "__array__") and isinstance(out, np.ndarray) and out.dtype.kind == "f":
            rows = out.ndim > 0 and self.recorder.is_distribution(out.shape[-1])
            return TrackedArray.of(out, tag, self.recorder) if tag is not None or rows else out
        if tag is None:
            return out
        line = self.recorder.line()
        if name in ("item", "__float__"):
            group = tags.groups_from(tag, value, line).reshape(-1)[0]
            return Tracked(float(out), group) if group is not None and isinstance(out, float) else out
        if name == "tolist":
            return listed(out, tags.groups_from(tag, value, line))
        if value.numel() == 1:
            group = tags.groups_from(tag, value, line).reshape(-1)[0]
            if group is not None:
                self.recorder.report(float(value.detach()), out, group)
        return out

    def _learn(self, args: Any, kwargs: Any) -> None:
        for value in flat(args[:1], {key: kwargs[key] for key in ("outputs", "tensors") if key in kwargs}):
            births = births_in(tag_of(value))
            if len(births):
                given = kwargs.get("inputs", args[1] if len(args) > 1 and not isinstance(args[1], bool) else None)
                self.recorder.learnt(births, leaves(value, given))


def leaves(loss: torch.Tensor, given: Any) -> list[list[int]]:
    """Shapes of the tensors that a loss has gradients for, `given` ones or all of its graph; 16 of them."""
    if given is not None and not isinstance(given, bool):
        tensors = given if isinstance(given, (list, tuple)) else [given]
        return [list(tensor.shape) for tensor in tensors if isinstance(tensor, torch.Tensor)][:16]
    found: list[list[int]] = []
    waiting, seen = [loss.grad_fn], set[Any]()
    while waiting and len(found) < 16:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if variable is not None:
            found.append(list(variable.shape))
        waiting += [after for after, _ in node.next_functions]
    return found


def keep_row(name: str, value: Any, out: Any) -> None:
    """Flat tokens remember their rows: where two rows meet, one may seem to go on in the other."""
    if not isinstance(value, torch.Tensor) or not isinstance(out, torch.Tensor) or out.is_floating_point():
        return
    if name in FLAT and out.dim() == 1 and value.dim() > 1:
        out.__dict__[ROW] = value.shape[-1]
    elif ROW in value.__dict__ and out.shape == value.shape:
        out.__dict__[ROW] = value.__dict__[ROW]


def flat(args: Any, kwargs: Any) -> Any:
    """All arguments, also those in lists."""
    for value in (*args, *kwargs.values()):
        if isinstance(value, (list, tuple)):
            yield from value
        else:
            yield value


def two(args: Sequence[Any]) -> bool:
    """Are the first two arguments tensors?"""
    return len(args) > 1 and isinstance(args[1], torch.Tensor)


def spread(tag: Tag | None, target: torch.Tensor) -> Tag | None:
    """Births in the shape of what they are copied to."""
    if isinstance(tag, torch.Tensor):
        return tag.expand(target.shape).clone()
    return tag


def groups(value: Any, out: torch.Tensor, line: int) -> Tag | None:
    """The groups of one summand, in the shape of the sum; None where it holds no scores."""
    if isinstance(value, Tracked):
        found = np.empty(tuple(out.shape), object)
        found.fill(value.group)
        return found
    tag = tag_of(value)
    if tag is None:
        return None
    own = tags.groups_from(tag, value, line)
    return np.broadcast_to(own, tuple(out.shape)) if own.shape != tuple(out.shape) else own


def plus(first: Any, second: Any, sign: float) -> Tag | None:
    """Element by element."""
    if first is None or second is None:
        return first if second is None else scale(second, sign, None)
    found = np.empty(first.shape, object)
    for at in np.ndindex(found.shape):
        one, other = first[at], second[at]
        found[at] = one.plus(other, sign) if one is not None else (other.scaled(sign) if other is not None else None)
    return found


def scale(tag: Any, factor: Any, out: torch.Tensor | None) -> Tag | None:
    """Every group times its factor."""
    if not isinstance(tag, np.ndarray):
        return None
    shape = tag.shape if out is None else tuple(out.shape)
    wide: Any = np.broadcast_to(tag, shape)
    factors = np.broadcast_to(np.asarray(factor, np.float64), shape)
    found = np.empty(shape, object)
    for at in np.ndindex(shape):
        found[at] = None if wide[at] is None else wide[at].scaled(float(factors[at]))
    return found


def listed(value: Any, found: Any) -> Any:
    """Nested lists of numbers with their groups."""
    if isinstance(value, list):
        return [listed(part, found[at]) for at, part in enumerate(value)]
    group: Any = found if not isinstance(found, np.ndarray) else found[()]
    return Tracked(value, group) if group is not None and isinstance(value, float) else value
