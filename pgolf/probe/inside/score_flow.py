"""What becomes of scores in the calls of torch that take them: moved, summed, joined, chosen among, or lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from pgolf.probe.inside import tags
from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.comparisons import LEAST, ORDERS, along, compared, least, turn
from pgolf.probe.inside.groups import Tracked
from pgolf.probe.inside.tags import Tag, put, tag_of

SCALED = frozenset(
    """
    __imul__ mul_ __mul__ __rmul__ mul multiply __itruediv__ div_ __truediv__ div divide
    """.split()  # noqa: SIM905
)


MIXING = frozenset(
    """
    cumprod logcumsumexp cummax cummin cumsum_ softmax log_softmax softmin median nanmedian quantile nanquantile msort
    kthvalue mode norm var std var_mean std_mean layer_norm rms_norm conv1d avg_pool1d max_pool1d convolve histc diff prod
    fft rfft cov corrcoef cdist outer kron interpolate
    ones_like zeros_like full_like empty_like rand_like randn_like new_zeros new_ones new_full new_empty
    """.split()  # noqa: SIM905
)


class Call(NamedTuple):
    """A call of torch and its result; the first argument may hold scores."""

    recorder: Recorder
    function: Any
    name: str
    args: Any
    kwargs: Any
    out: Any

    @property
    def first(self) -> Any:
        return self.args[0] if self.args else None


def follow(call: Call) -> None:
    """Give the result its scores: by the table below, else element by element."""
    flow = FLOWS.get(call.name)
    if (flow is None or not flow(call)) and each_element(call) and call.out is call.first:
        in_base(call.out)


def summed(call: Call) -> bool:
    """Sums and means, over some axes or all."""
    if not isinstance(call.first, torch.Tensor) or tag_of(call.first) is None:
        return False
    dims = call.kwargs.get("dim", call.kwargs.get("axis", call.args[1] if len(call.args) > 1 else None))
    dims = None if isinstance(dims, torch.dtype) or dims == () else dims
    put(call.out, tags.summed(call.recorder, call.name, call.first, dims, call.out))
    return True


def copied(call: Call) -> bool:
    """`target.copy_(source)`."""
    put(call.args[0], spread(tag_of(call.args[1]), call.args[0]))
    return True


def moved(call: Call) -> bool:
    """Elements of the first argument in other places."""
    if tag_of(call.first) is None:
        return False
    give(call.out, tags.moved(call.function, call.args, call.kwargs))
    return True


def same(call: Call) -> bool:
    """The first argument's values as they are."""
    if tag_of(call.first) is None:
        return False
    put(call.out, tag_of(call.first))
    return True


def product(call: Call) -> bool:
    """Matrices and vectors multiplied."""
    if not isinstance(call.out, torch.Tensor):
        return False
    found = tags.product(call.recorder, call.name, call.args)
    put(call.out, found)
    if found is None and call.out.dim() == 0:
        vectors = [value for value in flat(call.args, {}) if isinstance(value, torch.Tensor) and value.dim() == 1]
        return len(vectors) == 2 and multiplied(call._replace(args=tuple(vectors)))
    return True


def multiplied(call: Call) -> bool:
    """The sum of products of two vectors."""
    weighted = call.args[0] * call.args[1]
    put(weighted, tags.broadcast(call.recorder, call.name, call.args, weighted))
    if tag_of(weighted) is not None:
        put(call.out, tags.summed(call.recorder, "sum", weighted, None, call.out))
    return True


def padded(call: Call) -> bool:
    """More elements at the ends, which are no scores."""
    tag = tag_of(call.first)
    if not isinstance(tag, torch.Tensor):
        return False
    put(
        call.out,
        torch.nn.functional.pad(tag + 1, call.kwargs.get("pad", call.args[1] if len(call.args) > 1 else ())) - 1,
    )
    return True


def each_element(call: Call) -> bool:
    """What works element by element keeps scores, or adds up groups of them."""
    if not isinstance(call.out, torch.Tensor):
        return False
    values = list(flat(call.args, call.kwargs))
    if any(isinstance(tag_of(value), np.ndarray) for value in values):
        put(call.out, sum_of_groups(call))
    else:
        put(call.out, tags.broadcast(call.recorder, call.name, values, call.out))
    return True


def in_base(view: torch.Tensor) -> None:
    """A number of a tensor of sums that was changed in place: the tensor knows it as well."""
    base, tag = view._base, tag_of(view)
    if base is None or view.numel() != 1 or not isinstance(tag, np.ndarray) or not base.is_contiguous():
        return
    own = tag_of(base)
    whole = own.copy() if isinstance(own, np.ndarray) else np.empty(tuple(base.shape), object)
    whole.reshape(-1)[view.storage_offset() - base.storage_offset()] = tag.reshape(-1)[0]
    put(base, whole)


def sum_of_groups(call: Call) -> Tag | None:
    """Sums and multiples of tensors of sums; anything else is no sum of scores any more."""
    name, args, kwargs, out = call.name, call.args, call.kwargs, call.out
    line = call.recorder.line()
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


def joined(call: Call) -> bool:
    """Tensors side by side."""
    parts, out = list(call.args[0]), call.out
    if any(isinstance(tag_of(part), np.ndarray) for part in parts):
        line = call.recorder.line()
        if all(part.numel() == 1 for part in parts) and out.numel() == len(parts):
            found = np.empty(len(parts), object)
            for at, part in enumerate(parts):
                tag = groups(part, part, line)
                found[at] = None if tag is None else tag.reshape(-1)[0]
            put(out, found.reshape(tuple(out.shape)))
    else:
        give(out, call.function([tags.ids_like(part) for part in parts], *call.args[1:], **call.kwargs))
    return True


def stored(call: Call) -> bool:
    """`target[index] = value`."""
    target, index, value = call.args
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
        return True
    own = own if own is not None else torch.full(target.shape, -1, dtype=torch.int64)
    own[index] = tags.ids_like(value)
    put(target, own)
    return True


def scattered(call: Call) -> bool:
    """Scores added up at places of a vector."""
    target, dim, index, source = (*call.args, *call.kwargs.values())[:4]
    tag = tag_of(source)
    if dim not in (0, -1) or target.dim() != 1 or tag is None:
        return True
    own = tag_of(target)
    found = np.empty(tuple(target.shape), object) if not isinstance(own, np.ndarray) else own.copy()
    parts = tags.groups_from(tag, source, call.recorder.line())
    for at, place in enumerate(index.tolist()):
        if parts[at] is not None:
            found[place] = parts[at].plus(found[place])
    put(call.out, found)
    return True


def placed(call: Call) -> bool:
    """Scores put at places of another tensor: `scatter_`, `index_copy_`, `index_put_`, `masked_scatter_`."""
    added = call.kwargs.get("accumulate") or call.kwargs.get("reduce") or any(part is True for part in call.args[3:])
    if added or any(isinstance(tag_of(value), np.ndarray) for value in flat(call.args, call.kwargs)):
        put(call.out, None)
        return True
    own = tags.ids_like(call.first).clone()
    parts = [tags.ids_like(value) if is_numbers(value) else value for value in call.args[1:]]
    given = {key: tags.ids_like(value) if is_numbers(value) else value for key, value in call.kwargs.items()}
    put(call.out, call.function(own, *parts, **given))
    return True


def is_numbers(value: Any) -> bool:
    """Is it a tensor that may hold scores?"""
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def ordered(call: Call) -> bool:
    """Scores in another order: `sort`, `topk`."""
    tag, dim = tag_of(call.first), call.kwargs.get("dim", -1)
    more = [value for value in call.args[1:] if isinstance(value, int) and not isinstance(value, bool)]
    dim = more[-1] if call.name == "sort" and more else dim
    turn(call, call.out[1], -1.0 if call.name == "topk" else 1.0)
    found = None
    if isinstance(tag, torch.Tensor) and call.first.dim():
        along(call.recorder, tag.movedim(dim, -1).numpy(), call.name)
        found = tag.gather(dim, call.out[1])
    put(call.out[0], found)
    return True


def added_up(call: Call) -> bool:
    """`cumsum`: each element is the sum of those up to it."""
    tag = tag_of(call.first)
    dim = call.kwargs.get("dim", call.args[1] if len(call.args) > 1 else 0)
    put(call.out, None)
    if not isinstance(tag, torch.Tensor) or call.out.numel() > tags.GROUPS_LIMIT:
        return True
    found = np.empty(tuple(call.out.shape), object)
    births, values, groups_there = tag.movedim(dim, -1), call.first.movedim(dim, -1), np.moveaxis(found, dim, -1)
    line = call.recorder.line()
    for at in np.ndindex(groups_there.shape):
        upto = (*at[:-1], slice(at[-1] + 1))
        groups_there[at] = tags.total(births[upto], values[upto], 1.0, line)
    put(call.out, found)
    return True


def lost(call: Call) -> bool:
    """Calls that mix elements, or take no values: of the result nothing is known."""
    for value in call.out if isinstance(call.out, (tuple, list)) else [call.out]:
        put(value, None)
    return True


def chosen(call: Call) -> bool:
    """The least over one axis of scores of the same position is a score."""
    args, out = call.args, call.out
    if len(args) + len(call.kwargs) < 2 or (len(args) > 1 and isinstance(args[1], torch.Tensor)):
        return False
    dim = call.kwargs.get("dim", args[1] if len(args) > 1 else None)
    tag = tag_of(args[0])
    if not isinstance(tag, torch.Tensor) or not isinstance(dim, int):
        return True
    births = tags.one_position(call.recorder, tag.movedim(dim, -1))
    values = out if isinstance(out, torch.Tensor) else out[0]
    if births is not None and births.numel() == values.numel():
        put(values, births.reshape(values.shape))
        if call.name != "logsumexp":
            call.recorder.chosen(births.numpy(), call.name)
    return True


def give(out: Any, found: Any) -> None:
    """Scores to a tensor, or to each of several."""
    if isinstance(out, torch.Tensor):
        put(out, found)
    elif isinstance(out, (tuple, list)) and isinstance(found, (tuple, list)):
        for one, tag in zip(out, found, strict=False):
            put(one, tag)


def flat(args: Any, kwargs: Any) -> Any:
    """All arguments, also those in lists."""
    for value in (*args, *kwargs.values()):
        if isinstance(value, (list, tuple)):
            yield from value
        else:
            yield value


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


FLOWS: dict[str, Callable[[Call], bool]] = {
    **dict.fromkeys(("dot", "inner", "vdot"), multiplied),
    **dict.fromkeys(tags.PRODUCTS, product),
    **dict.fromkeys(("min", "max", "amin", "amax", "logsumexp"), chosen),
    **dict.fromkeys(tags.SAME, same),
    **dict.fromkeys(tags.MOVED, moved),
    **dict.fromkeys(("index_add_", "scatter_add_", "index_add", "scatter_add"), scattered),
    **dict.fromkeys(
        ("scatter_", "scatter", "index_copy_", "index_copy", "index_put_", "index_put", "masked_scatter_"), placed
    ),
    **dict.fromkeys(("sort", "topk"), ordered),
    "cumsum": added_up,
    **dict.fromkeys(ORDERS, compared),
    **dict.fromkeys(LEAST, least),
    **dict.fromkeys(MIXING, lost),
    "copy_": copied,
    "pad": padded,
    "__setitem__": stored,
    **dict.fromkeys(tags.JOINED, joined),
    **dict.fromkeys(tags.SUMMED, summed),
}
"""Name of a call -> what it does to scores; false where it does not, after all."""
