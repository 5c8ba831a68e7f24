"""Tokenizers made by hand: SentencePiece model files of any size, with every kind of piece that byte counts go wrong over."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass

MARK = "\u2581"
"""SentencePiece's mark of a space."""
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
BOS = 1
BYTE_PIECES = 256
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
WIDE = ("\u00e9", "\u00fc", "\u00f1", "\u6f22", "\u5b57", "\u20ac")
"""Characters of two and three bytes."""


@dataclass(frozen=True)
class Pieces:
    """A vocabulary.

    Attributes:
        names: piece of every token.
        kinds: SentencePiece's type of every token.
    """

    names: tuple[str, ...]
    kinds: tuple[int, ...]

    @property
    def normal(self) -> list[int]:
        """Tokens of text."""
        return [token for token, kind in enumerate(self.kinds) if kind == NORMAL]

    @property
    def first_byte(self) -> int:
        """The token of byte 0; -1 where the vocabulary has no bytes."""
        return self.kinds.index(BYTE) if BYTE in self.kinds else -1

    def byte_count(self, tokens: list[int]) -> list[int]:
        """Bytes of text that each token stands for, behind the one before it: a mark after a control token is no byte."""
        found = []
        before = BOS
        for token in tokens:
            name, kind = self.names[token], self.kinds[token]
            size = 1 if kind == BYTE else len(name.removeprefix(MARK).encode()) if kind == NORMAL else 0
            space = kind == NORMAL and name.startswith(MARK) and self.kinds[before] not in (CONTROL, UNKNOWN)
            found.append(size + space)
            before = token
        return found


def make_pieces(size: int) -> Pieces:
    """A vocabulary: unknown, BOS and EOS, all bytes where there is room, then pieces with and without a mark."""
    names, kinds = ["<unk>", "<s>", "</s>"], [UNKNOWN, CONTROL, CONTROL]
    if size >= 3 + BYTE_PIECES + 24:
        names += [f"<0x{number:02X}>" for number in range(BYTE_PIECES)]
        kinds += [BYTE] * BYTE_PIECES
    for text in itertools.islice(texts(), size - len(names)):
        names.append(text)
        kinds.append(NORMAL)
    return Pieces(tuple(names), tuple(kinds))


def texts() -> itertools.chain[str]:
    """Pieces, the usual ones first."""
    first = [MARK, *(MARK + letter for letter in LETTERS[:8]), *LETTERS[:10], *WIDE[:4], MARK + WIDE[4], "ing", "."]
    words = itertools.chain.from_iterable(itertools.product(LETTERS, repeat=length) for length in (2, 3))
    longer = ((MARK if number % 2 else "") + "".join(letters) for number, letters in enumerate(words))
    return itertools.chain(dict.fromkeys([*first, *LETTERS, *WIDE]), (text for text in longer if text != "ing"))


def model_file(pieces: Pieces) -> bytes:
    """The file that SentencePiece loads (its ModelProto: pieces, trainer_spec, normalizer_spec)."""
    parts = []
    for number, (name, kind) in enumerate(zip(pieces.names, pieces.kinds, strict=True)):
        score = struct.pack("<f", 0.0 if kind != NORMAL else -float(number))
        parts.append(field(1, text(1, name) + b"\x15" + score + integer(3, kind)))
    trainer = integer(3, 1) + integer(4, len(pieces.names)) + integer(35, int(BYTE in pieces.kinds))
    trainer += integer(40, 0) + integer(41, 1) + integer(42, 2) + integer(43, (1 << 64) - 1)
    normalizer = text(1, "identity") + integer(3, 1) + integer(4, 0) + integer(5, 1)
    return b"".join(parts) + field(2, trainer) + field(3, normalizer)


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def integer(key: int, number: int) -> bytes:
    """A field with a number."""
    return varint(key << 3) + varint(number)


def field(key: int, data: bytes) -> bytes:
    """A field with bytes."""
    return varint(key << 3 | 2) + varint(len(data)) + data


def text(key: int, value: str) -> bytes:
    """A field with text."""
    return field(key, value.encode())
