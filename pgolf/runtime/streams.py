"""Byte streams, for layouts and coders: tensors as bytes, bounded decoding, several streams in one.

A container is little-endian and holds a fixed number of streams:

    magic (4 bytes), count (uint32), length of each stream (uint32 each), the streams one after the other
"""

from __future__ import annotations

import io
import os
import struct
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


def save_tensors(encoded: dict[str, dict[str, Any]]) -> bytes:
    """Named parts, tensors or plain values, as the bytes of `torch.save`.

    Names are interned, because a pickle refers to text by identity, and one file shares equal literals where modules
    do not: the bytes must not depend on that.
    """
    buffer = io.BytesIO()
    named = {
        sys.intern(name): {sys.intern(key): part for key, part in parts.items()} for name, parts in encoded.items()
    }
    torch.save(named, buffer)
    return buffer.getvalue()


def load_tensors(data: bytes) -> dict[str, dict[str, Any]]:
    """The inverse of `save_tensors`, on the CPU; it builds tensors and plain values and refuses everything else."""
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)  # type: ignore[no-any-return]


def decode_in_pieces(decode: Callable[[bytes], bytes], data: bytes, limit: int) -> bytes:
    """What an incremental decoder makes of `data`, in pieces of 256 bytes, since a piece may expand to megabytes.

    Raises:
        ValueError: as soon as there are more than `limit` bytes.
    """
    plain = bytearray()
    for start in range(0, len(data), 256):
        plain += decode(data[start : start + 256])
        if len(plain) > limit:
            raise ValueError(f"the stream holds more than {limit} bytes")
    return bytes(plain)


def add_checksum(packed: bytes, plain: bytes) -> bytes:
    """`packed` and the CRC-32 of `plain`, for formats that have no checksum."""
    return packed + zlib.crc32(plain).to_bytes(4, "little")


def check_plain(plain: bytes, packed: bytes) -> bytes:
    """`plain`; ValueError unless it has the checksum at the end of `packed`."""
    if zlib.crc32(plain).to_bytes(4, "little") != packed[-4:]:
        raise ValueError("the bytes do not have their checksum")
    return plain


def shuffle_bytes(data: bytes, stride: int) -> bytes:
    """ "BSHF", the stride as one byte, then the bytes at offsets 0, stride, 2 stride, ..., those at 1, stride + 1, ..."""
    return b"".join((b"BSHF", bytes([stride]), *(data[offset::stride] for offset in range(stride))))


def unshuffle_bytes(shuffled: bytes, stride: int) -> bytes:
    """The inverse of `shuffle_bytes`; ValueError for another header."""
    if shuffled[:5] != b"BSHF" + bytes([stride]):
        raise ValueError(f"the bytes do not start with the header of a stride-{stride} shuffle")
    plain = bytearray(len(shuffled) - 5)
    start = 5
    for offset in range(stride):
        end = start + len(plain[offset::stride])
        plain[offset::stride] = shuffled[start:end]
        start = end
    return bytes(plain)


def join_streams(magic: bytes, streams: list[bytes]) -> bytes:
    """The container of `streams`; `magic` has four bytes."""
    lengths = [len(stream) for stream in streams]
    return struct.pack(f"<4s{len(streams) + 1}I", magic, len(streams), *lengths) + b"".join(streams)


def split_streams(magic: bytes, count: int, data: bytes) -> list[bytes]:
    """The streams of a container.

    Raises:
        ValueError: for another magic or count, or when the lengths are not those of `data`.
    """
    head = struct.Struct(f"<4s{count + 1}I")
    if len(data) < head.size:
        raise ValueError(f"the container is cut short: {len(data)} bytes, the head alone has {head.size}")
    found, number, *lengths = head.unpack_from(data)
    if (found, number) != (magic, count):
        raise ValueError(f"the container is {found!r} with {number} streams, wanted {magic!r} with {count}")
    if head.size + sum(lengths) != len(data):
        raise ValueError(f"the container's streams have {sum(lengths)} bytes, {len(data) - head.size} are there")
    starts = [head.size + sum(lengths[:stream]) for stream in range(count)]
    return [data[start : start + length] for start, length in zip(starts, lengths, strict=True)]


def side_by_side(function: Callable[..., bytes], *columns: Iterable[Any]) -> list[bytes]:
    """`function` of each row of `columns`, in as many threads as there are processors; for what waits for programs."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, *columns))
