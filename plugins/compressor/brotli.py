"""Byte shuffle and brotli at quality 11.

    "BSHF", the stride as one byte, the bytes at offsets 0, 2, 4, ..., those at 1, 3, 5, ...   -> brotli, window 2^24

De-interleaving puts the high bytes of float16 values next to each other; brotli then finds more to share. A stride of 4 does so
for float32, a stride of 1 leaves the bytes in order.

Source: openai/parameter-golf#1089; the one-byte stride is #1394's (two bytes in #1204).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import brotli

from pgolf import Component, Need, Plugin, Setting, hookimpl
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.streams import add_checksum, check_plain, decode_in_pieces, shuffle_bytes, unshuffle_bytes

if TYPE_CHECKING:
    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="brotli",
    summary="Byte shuffle, with stride 2 unless another is set, then brotli at quality 11.",
    source="openai/parameter-golf#1089, #1394",
    family="compressor",
    effect="about -1 % against lzma",
    settings=(Setting("byte_shuffle_stride", 2, "stride of the byte shuffle: 2, 4, or 1 for none", minimum=1),),
    needs=(Need("python", "brotli", "compresses the artifact and reads it back"),),
)


class BrotliCoder:
    """Entropy coder; `name` is safe in a file name."""

    name = "brotli"

    def __init__(self, stride: int) -> None:
        self.stride = stride

    def prepare(self, session: Session) -> None:
        """Ten bytes, both ways."""
        if self.decompress(self.compress(b"ten bytes.", Ledger()), 10) != b"ten bytes.":
            raise ValueError("brotli does not give back what it was given: install one that works")

    def compress(self, data: bytes, ledger: Ledger) -> bytes:
        """Shuffled and compressed bytes, and a checksum of `data`."""
        packed = add_checksum(brotli.compress(shuffle_bytes(data, self.stride), quality=11, lgwin=24), data)
        ledger.note("brotli", f"{len(data)} -> {len(packed)} bytes")
        return packed

    def decompress(self, data: bytes, limit: int) -> bytes:
        """The original bytes.

        Raises:
            ValueError: when they are more than `limit`, or the stream is not complete or has another checksum.
        """
        decoder = brotli.Decompressor()
        plain = decode_in_pieces(decoder.process, data[:-4], limit + 5)
        if not decoder.is_finished():
            raise ValueError("the brotli stream is cut short")
        return check_plain(unshuffle_bytes(plain, self.stride), data)


@hookimpl
def entropy_coder(settings: SettingsView) -> Component:
    """Quality 11, window 2^24."""
    settings.require(settings.byte_shuffle_stride in (1, 2, 4), "byte_shuffle_stride", "1, 2 or 4")
    return Component(BrotliCoder, stride=settings.byte_shuffle_stride)
