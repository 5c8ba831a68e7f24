"""Follows scores through every call of torch to where they leave it.

`score_sources` has where they begin, `score_flow` what becomes of them, `off_the_gpu` how calls for a GPU run on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from pgolf.probe.inside import tags
from pgolf.probe.inside.array_functions import FUNCTIONS
from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.graph_stand_in import Tape
from pgolf.probe.inside.groups import Group, Tracked
from pgolf.probe.inside.idle_weights import graph_leaves
from pgolf.probe.inside.off_the_gpu import bits, here, on_cpu, wide
from pgolf.probe.inside.picked_otherwise import keep_marks, rows_of
from pgolf.probe.inside.score_flow import Call, flat, follow
from pgolf.probe.inside.score_sources import FLAT, SOURCES, keep_row
from pgolf.probe.inside.tags import births_in, put, tag_of
from pgolf.probe.inside.tracked_arrays import TrackedArray

QUIET = frozenset(
    """
    size dim numel __len__ stride is_floating_point element_size __hash__ backward storage_offset untyped_storage is_complex
    """.split()  # noqa: SIM905
)
"""Calls whose results hold no scores, whatever they are given."""
MATRICES = frozenset(
    """
    linear matmul __matmul__ __rmatmul__ mm bmm addmm baddbmm mv einsum scaled_dot_product_attention conv1d
    """.split()  # noqa: SIM905
)
VALUES = ("data", "real")
"""Properties that are the tensor's own values."""
TURNED = ("T", "mT", "H", "mH")


class ScoreMode(TorchFunctionMode):
    """Active while a script runs.

    Args:
        recorder: takes what is found.
    """

    def __init__(self, recorder: Recorder):
        super().__init__()
        self.recorder = recorder
        TrackedArray.functions = FUNCTIONS

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        call = Called(self.recorder, func, getattr(func, "__name__", ""), args, here(kwargs) if kwargs else {})
        out = NotImplemented
        for way in WAYS.get(call.name, ()):
            out = way(call)
            if out is not NotImplemented:
                break
        if out is NotImplemented:
            out = followed(call)
        if Tape.calls is not None:
            Tape.calls.append((func, args, kwargs or {}, out))
        return out


class Called(NamedTuple):
    """A call of torch before it is made."""

    recorder: Recorder
    func: Any
    name: str
    args: Any
    kwargs: Any


def followed(call: Called) -> Any:
    """Make the call, and give its result the scores of its arguments."""
    recorder, func, name, args, kwargs = call
    out = func(*args, **kwargs)
    if recorder.count and name not in QUIET and has_scores(args, kwargs):
        follow(Call(recorder, func, name, args, kwargs, out))
    return out


# Ways to make a call otherwise: each gives the result, or NotImplemented where the call is none of its kind.


def stays(call: Called) -> Any:
    """`x.cuda()`, `x.pin_memory()`."""
    return call.args[0]


def moves(call: Called) -> Any:
    """`x.to("cuda", torch.bfloat16)`; what comes of it has the marks of `x`."""
    return marked(call._replace(args=(call.args[0], *map(on_cpu, call.args[1:]))))


def widened(call: Called) -> Any:
    """`x.bfloat16()`."""
    return marked(call._replace(func=torch.Tensor.float, name="float")) if call.args else NotImplemented


def by_bits(call: Called) -> Any:
    """`x.view(torch.int16)`."""
    of_type = len(call.args) == 2 and isinstance(call.args[1], torch.dtype)
    return bits(*call.args) if of_type else NotImplemented


def read(call: Called) -> Any:
    """A property: its values are scores where they are those of the tensor."""
    out, name = call.func(*call.args, **call.kwargs), getattr(getattr(call.func, "__self__", None), "__name__", "")
    if not isinstance(out, torch.Tensor) or name not in (*VALUES, *TURNED):
        return out
    tag = tag_of(call.args[0])
    if name in TURNED:
        tag = None if not isinstance(tag, torch.Tensor) else tag.transpose(-1, -2) if tag.dim() > 1 else tag
    else:
        keep_row("data", call.args[0], out)
        keep_marks("data", call.args[0], out)
    put(out, tag)
    return out


def marked(call: Called) -> Any:
    """Calls that change no value: flat tokens keep the length of their rows, rows of ones their tokens."""
    out, first = followed(call), call.args[0] if call.args else None
    keep_row(call.name, first, out)
    keep_marks(call.name, first, out)
    return out


def learns(call: Called) -> Any:
    """Gradients of scores."""
    args, kwargs = call.args, call.kwargs
    for value in flat(args[:1], {key: kwargs[key] for key in ("outputs", "tensors") if key in kwargs}):
        births = births_in(tag_of(value))
        if len(births):
            given = kwargs.get("inputs", args[1] if len(args) > 1 and not isinstance(args[1], bool) else None)
            call.recorder.learnt(births, leaves(value, given))
    return call.func(*args, **kwargs)


def multiplies(call: Called) -> Any:
    """Products, of which a CPU makes none of half precision by 32 bits."""
    if not any(isinstance(value, torch.Tensor) and value.dtype == torch.float16 for value in call.args):
        return NotImplemented
    call = call._replace(args=tuple(map(wide, call.args)))
    found = begins(call) if call.name in SOURCES else NotImplemented
    return followed(call) if found is NotImplemented else found


def begins(call: Called) -> Any:
    """What picks scores from distributions."""
    return SOURCES[call.name](call.recorder, call.func, call.args, call.kwargs)


def as_array(call: Called) -> Any:
    """`x.numpy()`."""
    out, tag = call.func(*call.args, **call.kwargs), tag_of(call.args[0])
    if not isinstance(out, np.ndarray) or out.dtype.kind != "f":
        return out
    rows = out.ndim > 0 and call.recorder.is_distribution(out.shape[-1])
    return TrackedArray.of(out, tag, call.recorder) if tag is not None or rows else out


def as_number(call: Called) -> Any:
    """`x.item()`, `float(x)`."""
    out, group = call.func(*call.args, **call.kwargs), only_group(call)
    return Tracked(float(out), group) if group is not None and isinstance(out, float) else out


def as_list(call: Called) -> Any:
    """`x.tolist()`: scores, or distributions to pick from."""
    value, recorder = call.args[0], call.recorder
    out, tag = call.func(*call.args, **call.kwargs), tag_of(value)
    if tag is not None:
        return listed(out, tags.groups_from(tag, value, recorder.line()))
    rows = value.is_floating_point() and value.dim() > 0 and recorder.is_distribution(value.shape[-1])
    return rows_of(recorder, out) if rows else out


def as_text(call: Called) -> Any:
    """`f"{x:.4f}"` reports what it shows."""
    out, group = call.func(*call.args, **call.kwargs), only_group(call)
    if group is not None:
        call.recorder.report(float(call.args[0].detach()), out, group)
    return out


def only_group(call: Called) -> Group | None:
    """The scores in a tensor of one element."""
    value, tag = call.args[0], tag_of(call.args[0])
    if tag is None or value.numel() != 1:
        return None
    group: Group | None = tags.groups_from(tag, value, call.recorder.line()).reshape(-1)[0]
    return group


Way = Callable[[Called], Any]


def all_ways() -> dict[str, list[Way]]:
    """Name of a call -> ways to make it, in the order in which they are tried."""
    table: list[tuple[Iterable[str], Way]] = [
        (("cuda", "pin_memory"), stays),
        (("to", "type"), moves),
        (("bfloat16",), widened),
        (("view",), by_bits),
        (("backward", "grad", "autograd_backward"), learns),
        (("__get__",), read),
        (MATRICES, multiplies),
        (SOURCES, begins),
        (("numpy", "__array__"), as_array),
        (("item", "__float__"), as_number),
        (("tolist",), as_list),
        (("__format__", "__repr__", "__str__"), as_text),
        ((*FLAT, *tags.SAME, "bool"), marked),
    ]
    found: dict[str, list[Way]] = {}
    for names, way in table:
        for name in names:
            found.setdefault(name, []).append(way)
    return found


WAYS = all_ways()


def has_scores(args: Any, kwargs: Any) -> bool:
    """Does any argument hold scores?"""
    for value in args:
        if isinstance(value, torch.Tensor):
            if tag_of(value) is not None:
                return True
        elif isinstance(value, (list, tuple)):
            if has_scores(value, None):
                return True
        elif isinstance(value, Tracked):
            return True
    return bool(kwargs) and has_scores(tuple(kwargs.values()), None)


def leaves(loss: torch.Tensor, given: Any) -> list[list[int]]:
    """Shapes of the tensors that a loss has gradients for, `given` ones or all of its graph; 16 of them."""
    if given is not None and not isinstance(given, bool):
        tensors = given if isinstance(given, (list, tuple)) else [given]
        return [list(tensor.shape) for tensor in tensors if isinstance(tensor, torch.Tensor)][:16]
    return [list(leaf.shape) for leaf in graph_leaves(loss)][:16]


def listed(value: Any, found: Any) -> Any:
    """Nested lists of numbers with their groups."""
    if isinstance(value, list):
        return [listed(part, found[at]) for at, part in enumerate(value)]
    group: Any = found if not isinstance(found, np.ndarray) else found[()]
    return Tracked(value, group) if group is not None and isinstance(value, float) else value
