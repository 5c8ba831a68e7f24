"""CUDA graphs: what is captured is a list of calls of torch, and a replay makes them again."""

from __future__ import annotations

from typing import Any

import torch

from pgolf.probe.inside import tags

Call = tuple[Any, Any, Any, Any]


class Tape:
    """Where calls are noted while a graph is captured; None outside."""

    calls: list[Call] | None = None


class Graph:
    """`torch.cuda.CUDAGraph`."""

    def __init__(self, *args: Any, **kwargs: Any):
        self.calls: list[Call] = []

    def capture_begin(self, *args: Any, **kwargs: Any) -> None:
        """Note what is called from now on."""
        self.calls = Tape.calls = []

    def capture_end(self) -> None:
        """Until now."""
        Tape.calls = None

    def replay(self) -> None:
        """Make the calls again, with what tensors hold now; their results go where the first ones are."""
        fresh: dict[int, torch.Tensor] = {}
        for function, args, kwargs, out in self.calls:
            made = function(*renewed(args, fresh), **renewed(kwargs, fresh))
            for old, new in zip(listed(out), listed(made), strict=False):
                if old is not new:
                    fresh[id(old)] = new
        with torch.no_grad():
            for _, _, _, out in self.calls:
                for old in listed(out):
                    new = fresh.get(id(old), old)
                    if new is not old and old.shape == new.shape:
                        old.detach().copy_(new.detach())
                        tags.put(old, tags.tag_of(new))

    def reset(self) -> None:
        """Forget them."""
        self.calls = []

    def pool(self) -> tuple[int, int]:
        """Of memory; there is none."""
        return (0, 0)


class Capture:
    """`with torch.cuda.graph(graph):`."""

    def __init__(self, graph: Graph, *args: Any, **kwargs: Any):
        self.graph = graph

    def __enter__(self) -> None:
        self.graph.capture_begin()

    def __exit__(self, *args: Any) -> None:
        self.graph.capture_end()


def listed(value: Any) -> list[torch.Tensor]:
    """The tensors of a result."""
    if isinstance(value, torch.Tensor):
        return [value]
    return [part for one in value for part in listed(one)] if isinstance(value, (tuple, list)) else []


def renewed(value: Any, fresh: dict[int, torch.Tensor]) -> Any:
    """Arguments with the tensors of this replay."""
    if isinstance(value, torch.Tensor):
        return fresh.get(id(value), value)
    if isinstance(value, dict):
        return {key: renewed(part, fresh) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        parts = [renewed(part, fresh) for part in value]
        return parts if isinstance(value, list) else tuple(parts)
    return value


def stand_in_for_graphs() -> None:
    """Put it in place of CUDA's."""
    torch.cuda.CUDAGraph = Graph  # type: ignore[misc, assignment]
    torch.cuda.graph = Capture  # type: ignore[misc, assignment]
    torch.cuda.graphs.CUDAGraph = Graph  # type: ignore[misc, assignment]
    torch.cuda.graphs.graph = Capture  # type: ignore[misc, assignment]
    torch.cuda.graph_pool_handle = lambda: (0, 0)  # type: ignore[assignment, return-value]
    torch.cuda.make_graphed_callables = lambda callables, *args, **kwargs: callables
