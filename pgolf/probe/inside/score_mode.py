"""Follows scores through every call of torch to where they leave it, and moves what asks for a GPU to the CPU.

`score_sources` has where they begin, `score_flow` what becomes of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from pgolf.probe.inside import tags
from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.graph_stand_in import Tape
from pgolf.probe.inside.groups import Tracked
from pgolf.probe.inside.picked_otherwise import keep_marks, rows_of
from pgolf.probe.inside.score_flow import Call, flat, follow
from pgolf.probe.inside.score_sources import FLAT, SOURCES, keep_row
from pgolf.probe.inside.tags import births_in, tag_of
from pgolf.probe.inside.tracked_arrays import TrackedArray

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
MATRICES = frozenset(
    """
    linear matmul __matmul__ __rmatmul__ mm bmm addmm baddbmm mv einsum scaled_dot_product_attention conv1d
    """.split()  # noqa: SIM905
)
GPU = ("cuda", "xpu")
SHORT = torch.bfloat16
BITS = (torch.int16, torch.uint16)


def on_cpu(value: Any) -> Any:
    """The CPU for a GPU and 32 bits for bfloat16, which a CPU is slow with; anything else as it is.

    Half precision stays what it is: scripts store with it, and count its bytes.
    """
    if isinstance(value, torch.dtype):
        return torch.float32 if value == SHORT else value
    if isinstance(value, torch.device):
        return torch.device("cpu") if value.type in GPU else value
    if isinstance(value, str) and value.split(":")[0] in GPU:
        return "cpu"
    return value


def wide(value: Any) -> Any:
    """Half precision as 32 bits, where autocast would make both factors alike."""
    return value.float() if isinstance(value, torch.Tensor) and value.dtype == torch.float16 else value


def bits(value: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """`value.view(dtype)`: of bfloat16 as if it was what is stored, and back."""
    if value.dtype == torch.float32 and dtype in BITS:
        return value.to(SHORT).view(dtype)
    found: torch.Tensor = value.view(dtype)
    return found.float() if dtype == SHORT else found


class ScoreMode(TorchFunctionMode):
    """Active while a script runs.

    Args:
        recorder: takes what is found.
    """

    def __init__(self, recorder: Recorder):
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = self._call(func, args, dict(kwargs) if kwargs else {})
        if Tape.calls is not None:
            Tape.calls.append((func, args, kwargs or {}, out))
        return out

    def _call(self, func: Any, args: Any, kwargs: Any) -> Any:
        name = getattr(func, "__name__", "")
        if kwargs:
            kwargs.pop("pin_memory", None)
            kwargs |= {key: on_cpu(kwargs[key]) for key in ("device", "dtype", "out_dtype") if key in kwargs}
        if name in ("to", "type", "cuda", "pin_memory"):
            if name in ("cuda", "pin_memory"):
                return args[0]
            args = (args[0], *(on_cpu(part) for part in args[1:]))
        if name == "bfloat16" and args:
            func, name = torch.Tensor.float, "float"
        if name == "view" and len(args) == 2 and isinstance(args[1], torch.dtype):
            return bits(*args)
        if name in ("backward", "grad", "autograd_backward"):
            self._learn(args, kwargs)
            return func(*args, **kwargs)
        if name in MATRICES:
            args = tuple(map(wide, args))
        source = SOURCES.get(name)
        found = NotImplemented if source is None else source(self.recorder, func, args, kwargs)
        if found is not NotImplemented:
            return found
        if name in NUMBERS:
            return self._number(func, name, args, kwargs)
        out = func(*args, **kwargs)
        if name in FLAT or name in tags.SAME or name == "bool":
            keep_row(name, args[0] if args else None, out)
            keep_marks(name, args[0] if args else None, out)
        if self.recorder.count and name not in QUIET and has_scores(args, kwargs):
            follow(Call(self.recorder, func, name, args, kwargs, out))
        return out

    def _number(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        value, tag = args[0], tag_of(args[0])
        out = func(*args, **kwargs)
        if name in ("numpy", "__array__") and isinstance(out, np.ndarray) and out.dtype.kind == "f":
            rows = out.ndim > 0 and self.recorder.is_distribution(out.shape[-1])
            return TrackedArray.of(out, tag, self.recorder) if tag is not None or rows else out
        if tag is None:
            rows = name == "tolist" and value.is_floating_point() and value.dim() > 0
            return rows_of(self.recorder, out) if rows and self.recorder.is_distribution(value.shape[-1]) else out
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


def listed(value: Any, found: Any) -> Any:
    """Nested lists of numbers with their groups."""
    if isinstance(value, list):
        return [listed(part, found[at]) for at, part in enumerate(value)]
    group: Any = found if not isinstance(found, np.ndarray) else found[()]
    return Tracked(value, group) if group is not None and isinstance(value, float) else value
