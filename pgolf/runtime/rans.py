"""Interleaved range asymmetric numeral systems (rANS) with adaptive tables; integers only.

    symbol s of frequency f, start c, total 2^P:    encode  x <- (x // f) 2^P + x % f + c        decode  the inverse

`LANES` states take turns, symbol i of a call goes to state i mod LANES, so that a call works on whole arrays. A state is kept
in [LOW, 2^32 LOW) by words of 32 bits. What is encoded last is decoded first: the encoder keeps everything until `finish`.
Frequencies follow counts of what has been coded, in each context apart; both sides make them anew at the same calls.

Source: J. Duda, Asymmetric numeral systems (arXiv:1311.2540); interleaving F. Giesen (arXiv:1402.3392).
"""

from __future__ import annotations

import numpy as np

LANES = 512
PRECISION = 20
LOW = 1 << 26
# What one symbol adds to its count; what a context begins with adds up to about 600 symbols.
GAIN = 32


class AdaptiveTables:
    """Frequencies of 256 symbols in every context, from `counts` (contexts, 256), int64 and positive."""

    def __init__(self, counts: np.ndarray) -> None:
        self.counts = counts
        self.seen, self.due = 0, 0
        self.changed = np.ones(len(counts), bool)
        self.frequency, self.flat = np.zeros((2, counts.size), np.int32)
        self.refresh()

    def refresh(self) -> None:
        """New frequencies where counts are new, all at least one; `flat` has the starts, the context above them."""
        rows = self.changed.nonzero()[0]
        counts = self.counts[rows]
        frequency = 1 + counts * ((1 << PRECISION) - 256) // counts.sum(1, keepdims=True)
        frequency[:, 0] += (1 << PRECISION) - frequency.sum(1)
        self.frequency.reshape(-1, 256)[rows] = frequency
        self.flat.reshape(-1, 256)[rows] = frequency.cumsum(1) - frequency + (rows[:, None] << PRECISION)
        self.changed[:] = False

    def learn(self, places: np.ndarray) -> None:
        """Count `places`, 256 context + symbol; frequencies follow as soon as a twentieth is new."""
        np.add.at(self.counts.reshape(-1), places, GAIN)
        self.changed[places >> 8] = True
        self.seen += len(places)
        if self.seen >= self.due:
            self.due = self.seen + self.seen // 20 + 512
            self.refresh()


class RansEncoder:
    """Keeps starts and frequencies of all symbols; `bits` is what they take, in units of 2^-16, equal on every machine."""

    def __init__(self, tables: AdaptiveTables) -> None:
        self.tables = tables
        self.bits = 0
        self.calls: list[tuple[np.ndarray, np.ndarray]] = []

    def code(self, context: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        """`symbols` as they are."""
        places = (context << 8) + symbols
        frequencies = self.tables.frequency[places]
        # Each rounded to a unit, so that sums do not depend on their order.
        self.bits += int(np.rint((PRECISION - np.log2(frequencies)) * 65536).sum())
        self.calls.append((self.tables.flat[places] & ((1 << PRECISION) - 1), frequencies))
        self.tables.learn(places)
        return symbols

    def finish(self) -> list[bytes]:
        """The last states, and words in the order in which they are read."""
        states, words = np.full(LANES, LOW), []
        for starts, frequencies in reversed(self.calls):
            for first in range((len(starts) - 1) // LANES * LANES, -1, -LANES):
                frequency = frequencies[first : first + LANES].astype(np.int64)
                x = states[: len(frequency)]
                full = x >= frequency * (LOW >> PRECISION << 32)
                words.append(x[full] & 0xFFFFFFFF)
                x[full] >>= 32
                whole = x // frequency
                x += starts[first : first + LANES] + whole * ((1 << PRECISION) - frequency)
        # States by planes of their bytes, since their highest ones are few.
        planes = states.astype("<i8").view(np.uint8).reshape(LANES, 8).T.tobytes()
        return [planes, np.concatenate([states[:0], *words[::-1]]).astype("<u4").tobytes()]


class RansDecoder:
    """Reads what `RansEncoder` has written, in calls of the same sizes and contexts."""

    def __init__(self, tables: AdaptiveTables, states: bytes, words: bytes) -> None:
        self.tables = tables
        self.states = np.frombuffer(states, np.uint8).reshape(8, LANES).T.copy().view("<i8")[:, 0].astype(np.int64)
        self.words = np.frombuffer(words, "<u4").astype(np.int64)
        self.read = 0

    def code(self, context: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        """As many symbols as there are contexts; ValueError where words are missing."""
        places, starts = np.empty_like(context), (context << PRECISION).astype(np.int32)
        for first in range(0, len(context), LANES):
            keys = starts[first : first + LANES]
            x = self.states[: len(keys)]
            keys += x & ((1 << PRECISION) - 1)
            found = self.tables.flat.searchsorted(keys, "right") - 1
            x[:] = self.tables.frequency[found] * (x >> PRECISION) + keys - self.tables.flat[found]
            empty = (x < LOW).nonzero()[0]
            last = self.read + len(empty)
            x[empty] = (x[empty] << 32) + self.words[self.read : last]
            self.read = last
            places[first : first + LANES] = found
        self.tables.learn(places)
        return places & 255
