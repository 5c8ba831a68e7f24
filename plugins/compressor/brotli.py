"""Byte shuffle and brotli at quality 11.

    "BSHF", the stride as one byte, the bytes at offsets 0, 2, 4, ..., those at 1, 3, 5, ...   -> brotli, window 2^24

De-interleaving puts the high bytes of float16 values next to each other; brotli then finds more to share.

Source: openai/parameter-golf#1089; the one-byte stride is #1394's (two bytes in #1204).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import brotli

from pgolf import Component, Need, Plugin, hookimpl
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.streams import decode_in_pieces

if TYPE_CHECKING:
    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="brotli",
    summary="Byte shuffle with stride 2, then brotli at quality 11.",
    source="openai/parameter-golf#1089, #1394",
    family="compressor",
    effect="about -1 % against lzma",
    needs=(Need("python", "brotli", "compresses the artifact and reads it back"),),
)


def shuffle_bytes(data: bytes) -> bytes:
    """Header, even offsets, odd offsets."""
    return b"BSHF\x02" + data[::2] + data[1::2]


def unshuffle_bytes(shuffled: bytes) -> bytes:
    """The inverse of `shuffle_bytes`; ValueError for another header."""
    if shuffled[:5] != b"BSHF\x02":
        raise ValueError("the bytes do not start with the header of a stride-2 shuffle")
    half = (len(shuffled) - 4) // 2
    plain = bytearray(len(shuffled) - 5)
    plain[::2], plain[1::2] = shuffled[5 : 5 + half], shuffled[5 + half :]
    return bytes(plain)


class BrotliCoder:
    """Entropy coder; `name` is safe in a file name."""

    name = "brotli"

    def prepare(self, session: Session) -> None:
        """Ten bytes, both ways."""
        if self.decompress(self.compress(b"ten bytes.", Ledger()), 10) != b"ten bytes.":
            raise ValueError("brotli does not give back what it was given: install one that works")

    def compress(self, data: bytes, ledger: Ledger) -> bytes:
        """Shuffled and compressed bytes."""
        packed: bytes = brotli.compress(shuffle_bytes(data), quality=11, lgwin=24)
        ledger.note("brotli", f"{len(data)} -> {len(packed)} bytes")
        return packed

    def decompress(self, data: bytes, limit: int) -> bytes:
        """The original bytes.

        Raises:
            ValueError: when they are more than `limit`, or the stream is not complete.
        """
        decoder = brotli.Decompressor()
        plain = decode_in_pieces(decoder.process, data, limit + 5)
        if not decoder.is_finished():
            raise ValueError("the brotli stream is cut short")
        return unshuffle_bytes(plain)


@hookimpl
def entropy_coder(settings: SettingsView) -> Component:
    """Quality 11, window 2^24."""
    return Component(BrotliCoder)
