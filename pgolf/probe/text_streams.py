"""Validation and training streams for probes: documents of made-up text in which no run of five tokens occurs twice.

That tells every row of tokens where it comes from. Shorter runs do repeat, as in text, so that caches of n-grams find some.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgolf.probe.inside.births import RUN
from pgolf.probe.piece_file import BOS, MARK, NORMAL, Pieces

MAGIC, VERSION, HEADER = 20240520, 1, 256
DOCUMENTS = (24, 150)
"""Least and most tokens of a document."""
TRAIN_TOKENS = 20_000
DRAWS = 50
"""Most texts that are tried until one has no run twice."""
WIDE_TEXT = "\u20ac\u6f22\u00df"
"""Characters that are written as byte tokens."""
Tokens = NDArray[np.int64]


@dataclass(frozen=True)
class Stream:
    """Tokens with documents; each begins with BOS."""

    tokens: Tokens

    @property
    def starts(self) -> list[int]:
        """Positions of BOS."""
        return [int(at) for at in np.nonzero(self.tokens == BOS)[0]]

    def document(self, position: int) -> int:
        """Where the document of a position starts."""
        return max(at for at in self.starts if at <= position)

    def changed(self, positions: Tokens, random: np.random.Generator, pieces: Pieces) -> Stream:
        """Other tokens at these positions; starts of documents stay."""
        normal = np.array(pieces.normal)
        at = positions[self.tokens[positions] != BOS]
        for _ in range(DRAWS):
            tokens = self.tokens.copy()
            drawn = normal[random.integers(0, len(normal) - 1, len(at))]
            tokens[at] = np.where(drawn >= tokens[at], normal[np.searchsorted(normal, drawn) + 1], drawn)
            if not has_repeats(tokens):
                break
        return Stream(tokens)

    def permuted(self, random: np.random.Generator) -> Stream:
        """The same documents in another order."""
        parts = np.split(self.tokens, self.starts[1:])
        order = random.permutation(len(parts))
        return Stream(np.concatenate([parts[at] for at in order]))


def make_stream(pieces: Pieces, count: int, seed: int, avoid: Stream | None = None) -> Stream:
    """`count` tokens of documents, in which no run occurs twice, and none of `avoid`."""
    seen = set() if avoid is None else {tuple(run) for run in runs(avoid.tokens)}
    for number in range(DRAWS):
        tokens = written(pieces, count, np.random.default_rng((seed, number)), set(seen))
        if len(tokens) >= count:
            return Stream(np.array(tokens[:count], np.int64))
    raise ValueError(f"no text of {count} tokens out of {len(pieces.names)} is without a run that occurs twice")


def written(pieces: Pieces, count: int, random: np.random.Generator, seen: set[tuple[int, ...]]) -> list[int]:
    """Tokens up to `count`, fewer where every next one would repeat a run."""
    normal = np.array(pieces.normal)
    likely = 1.0 / (np.arange(len(normal)) + 3.0)
    ends = np.cumsum(random.permutation(likely / likely.sum()))
    spaced = [token for token in pieces.normal if pieces.names[token].startswith(MARK)]
    tokens: list[int] = []
    left = 0
    while len(tokens) < count:
        if left <= 0:
            left = int(random.integers(*DOCUMENTS))
            units = [[BOS, token] for token in random.permutation(spaced).tolist()]
        elif pieces.first_byte >= 0 and random.random() < 0.02:
            units = [[pieces.first_byte + byte for byte in char.encode()] for char in WIDE_TEXT]
        else:
            drawn = np.minimum(np.searchsorted(ends, random.random(100)), len(normal) - 1)
            units = [[token] for token in normal[drawn].tolist()]
        units = (
            [unit for unit in units if unit[0] != tokens[-1]] if tokens else units
        )  # whoever scores twice is told apart
        unit = next((one for one in units if is_new([*tokens[1 - RUN :], *one], seen)), [])
        if not unit and len(units) > len(WIDE_TEXT):
            return tokens
        tokens += unit
        left -= len(unit)
    return tokens


def is_new(tokens: list[int], seen: set[tuple[int, ...]]) -> bool:
    """Does none of these runs occur yet? Then they are noted."""
    found = [tuple(tokens[at : at + RUN]) for at in range(len(tokens) - RUN + 1)]
    if len(set(found)) < len(found) or not seen.isdisjoint(found):
        return False
    seen.update(found)
    return True


def has_repeats(tokens: Tokens) -> bool:
    """Does a run occur twice?"""
    found = runs(tokens) if len(tokens) >= RUN else []
    return len({tuple(run) for run in found}) < len(found)


def runs(tokens: Tokens) -> list[list[int]]:
    """All runs of five tokens."""
    found: list[list[int]] = np.lib.stride_tricks.sliding_window_view(tokens, RUN).tolist()
    return found


def write_shard(path: Path, tokens: Tokens) -> None:
    """The contest's format: 256 numbers of 32 bits, then 16 bits a token."""
    header = np.zeros(HEADER, "<i4")
    header[:3] = MAGIC, VERSION, len(tokens)
    path.write_bytes(header.tobytes() + tokens.astype("<u2").tobytes())


def read_shard(path: Path, most: int = -1) -> Tokens:
    """The tokens of a shard, the first `most` of them."""
    with path.open("rb") as file:
        head = struct.unpack("<3i", file.read(12))
        file.seek(4 * HEADER)
        count = head[2] if most < 0 else min(most, head[2])
        return np.frombuffer(file.read(2 * count), "<u2").astype(np.int64)


def text_bytes(pieces: Pieces, tokens: Tokens) -> int:
    """UTF-8 bytes of the text that tokens stand for."""
    assert NORMAL in pieces.kinds
    return sum(pieces.byte_count(tokens.tolist()))
