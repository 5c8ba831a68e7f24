"""Which positions of the validation stream the targets of a loss are, found from the tokens alone.

A stream that no short run of tokens occurs twice in tells where any row of it was taken from, whatever a script did to it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RUN = 5
"""Tokens that tell a place of a stream."""
FACTOR = np.uint64(0x9E3779B97F4A7C15)


class Places:
    """Finds rows of a stream.

    Args:
        stream: the tokens of the validation stream.
    """

    def __init__(self, stream: NDArray[np.int64]):
        self.stream = stream
        keys = run_keys(stream)
        order = np.argsort(keys, kind="stable")
        self._keys, self._at = keys[order], order
        self._next = 0
        self._values: dict[int, NDArray[np.int64]] = {
            int(token): np.nonzero(stream == token)[0] for token in np.unique(stream)
        }

    def find(self, targets: NDArray[np.int64]) -> NDArray[np.int64]:
        """Position of each token, -1 for what is not of the stream; a last axis of many is a row of its own."""
        rows = targets.reshape(-1, targets.shape[-1]) if targets.ndim > 1 else targets.reshape(1, -1)
        if rows.shape[-1] < RUN and rows.size >= RUN:
            rows = rows.reshape(1, -1)
        found = np.stack([self._row(row) for row in rows]) if len(rows) else rows
        return found.reshape(targets.shape).astype(np.int64)

    def _row(self, row: NDArray[np.int64]) -> NDArray[np.int64]:
        if len(row) < RUN:
            return self._few(row)
        keys = run_keys(row)
        at = np.searchsorted(self._keys, keys)
        at[at == len(self._keys)] = 0
        hit = self._keys[at] == keys if len(self._keys) else np.zeros(len(keys), bool)
        starts = np.where(hit, self._at[at] if len(self._at) else 0, -1)
        found = longest_first(starts, len(row))
        if (found >= 0).any():
            self._next = int(found[found >= 0][-1]) + 1
        return found

    def _few(self, row: NDArray[np.int64]) -> NDArray[np.int64]:
        """A handful of tokens are those after the last that were found, or these again, or the only ones of their kind."""
        at = self._next
        for start in (at, max(at - len(row), 0)):
            if start < len(self.stream) and np.array_equal(self.stream[start : start + len(row)], row):
                self._next = start + len(row)
                return np.arange(start, start + len(row))
        places = self._values.get(int(row[0]), np.zeros(0, np.int64)) if len(row) else np.zeros(0, np.int64)
        later = [
            int(place)
            for place in (*places[places >= at], *places[places < at])
            if np.array_equal(self.stream[place : place + len(row)], row)
        ]
        if not later or (len(places) > 1 and later[0] > at + RUN):
            return np.full(len(row), -1, np.int64)
        self._next = later[0] + len(row)
        return np.arange(later[0], later[0] + len(row))


def longest_first(starts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Positions of a row from the places of its runs, -1 for runs that are nowhere.

    Where rows of a batch meet, the end of one and the start of the next may be a run of the stream by chance: the longest
    stretch that goes on in the stream decides first.
    """
    found = np.full(size, -1, np.int64)
    shifts = np.where(starts >= 0, starts - np.arange(len(starts)), -size - len(starts) - 1)
    cuts = np.nonzero(np.diff(shifts))[0] + 1
    stretches = [part for part in np.split(np.arange(len(starts)), cuts) if len(part) and starts[part[0]] >= 0]
    for part in sorted(stretches, key=len, reverse=True):
        first, last = int(part[0]), int(part[-1]) + RUN
        target = found[first:last]
        target[:] = np.where(target < 0, np.arange(first, last) + shifts[first], target)
    return found


def run_keys(tokens: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A key of every run of `RUN` tokens, of its start."""
    count = len(tokens) - RUN + 1
    if count <= 0:
        return np.zeros(0, np.uint64)
    keys = np.zeros(count, np.uint64)
    with np.errstate(over="ignore"):
        for offset in range(RUN):
            keys = keys * FACTOR + tokens[offset : offset + count].astype(np.uint64) + np.uint64(1)
            keys ^= keys >> np.uint64(29)
    return keys
