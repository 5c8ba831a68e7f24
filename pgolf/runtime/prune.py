"""Codes of +-1 that become 0, the cheapest first, until an artifact is small enough: for components of `fit`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from pgolf.contracts.quantizer import Parts


class Probe(NamedTuple):
    """Codes zeroed, and the bytes that this gave."""

    zeros: int
    size: int


class Candidates:
    """Codes of +-1, cheapest first: `order` are places in all codes of `names` laid end to end."""

    def __init__(self, encoded: dict[str, Parts], prefix: str) -> None:
        self.encoded = encoded
        # Codes without steps of rows, such as ternary ones, have no cheapest.
        self.names = [
            name for name, parts in encoded.items() if name.startswith(prefix) and {"codes", "step"} <= parts.keys()
        ]
        keys, places, offset = [torch.zeros(0)], [torch.zeros(0, dtype=torch.int64)], 0
        for name in self.names:
            codes, step = encoded[name]["codes"], encoded[name]["step"].float()
            squares = (step * step).reshape(-1, *[1] * (codes.ndim - 1)).expand(codes.shape)
            ones = (codes.abs() == 1).flatten().nonzero()[:, 0]
            keys.append(squares.flatten()[ones])
            places.append(ones + offset)
            offset += codes.numel()
        self.order = torch.cat(places)[torch.cat(keys).argsort(stable=True)]

    def without(self, count: int) -> dict[str, Parts]:
        """The encoded tensors with the first `count` candidates zeroed."""
        places, offset, changed = self.order[:count], 0, {}
        for name in self.names:
            codes = self.encoded[name]["codes"]
            own = places[(places >= offset) & (places < offset + codes.numel())] - offset
            changed[name] = {**self.encoded[name], "codes": zeroed(codes, own)}
            offset += codes.numel()
        return {**self.encoded, **changed}


def zeroed(codes: Tensor, places: Tensor) -> Tensor:
    """A copy with zeros at these places of the flattened codes."""
    flat = codes.flatten().clone()
    flat[places] = 0
    return flat.view(codes.shape)


def next_count(low: Probe, high: Probe | None, target: int, total: int) -> int:
    """How many to zero next: eight more for each byte too many, or on the line from too few to enough."""
    if high is None:
        return min(low.zeros + 8 * (low.size - target), total)
    return low.zeros + math.ceil((low.size - target) / (low.size - high.size) * (high.zeros - low.zeros))


def prune_ones(
    encoded: dict[str, Parts],
    measure: Callable[[dict[str, Parts]], int],
    size: int,
    target: int,
    prefix: str,
    probes: int,
) -> tuple[dict[str, Parts], str]:
    """(what fits into `target` bytes, or is as small as this gets; what was done), pruning as little as `probes` can tell.

    Args:
        size: bytes of `encoded`, by `measure`.
        prefix: what the names of tensors with candidates begin with.
    """
    low, high = Probe(0, size), None
    candidates = Candidates(encoded, prefix)
    total = len(candidates.order)
    if low.size <= target:
        return encoded, f"0 of {total} codes of one pruned"
    for _ in range(probes):
        zeros = next_count(low, high, target, total)
        if zeros in (low.zeros, high and high.zeros):
            break
        probe = Probe(zeros, measure(candidates.without(zeros)))
        low, high = (low, probe) if probe.size <= target else (probe, high)
    last = high or low
    missed = "" if high else f", still {last.size - target} bytes too many"
    return candidates.without(last.zeros), f"{last.zeros} of {total} codes of one pruned{missed}"
