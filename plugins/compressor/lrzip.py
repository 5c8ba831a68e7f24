"""The external program lrzip with its ZPAQ back end at level 9.

    lrzip -z -L 9 -T

Without -T it stores what LZ4 cannot shrink: codes with five bits of entropy in a byte would not be compressed at all.
Of the nine streams of the layout `pergroup`, each group of matrices is compressed apart, side by side with the others,
and the last two (remainder, orders of rows) by brotli at quality 11, window 2^24, with a checksum; of any other layout, all as
one.

Source: openai/parameter-golf#1855.
"""

from __future__ import annotations

import os
import subprocess
from functools import partial
from typing import TYPE_CHECKING

import brotli

from pgolf import Component, Need, Plugin, hookimpl
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.programs import through_program
from pgolf.runtime.streams import add_checksum, check_plain, decode_in_pieces, join_streams, side_by_side, split_streams

if TYPE_CHECKING:
    from pathlib import Path

    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="lrzip",
    summary="The external program lrzip (ZPAQ) for each group of matrices, brotli for the rest.",
    source="openai/parameter-golf#1855",
    family="compressor",
    needs=(
        Need("program", "lrzip", "compresses the artifact and reads it back"),
        Need("python", "brotli", "compresses what is not in a group of matrices, and reads it back"),
    ),
)


def start_lrzip(source: Path, target: Path, flags: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """One thread and no options from files: the same input gives the same bytes on every machine."""
    return subprocess.Popen(
        ["lrzip", "-Q", "-p", "1", *flags, "-o", target, source],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "LRZIP": "NOCONFIG"},
    )


def run_lrzip(data: bytes, limit: int, flags: tuple[str, ...]) -> bytes:
    """At most `limit` bytes, within a quarter of an hour (12 MB take 30 s). An empty stream stays empty."""
    return through_program("lrzip", partial(start_lrzip, flags=flags), data, limit, 900) if data else b""


def unbrotli(data: bytes, limit: int) -> bytes:
    """At most `limit` bytes of a complete stream with its checksum."""
    decoder = brotli.Decompressor()
    plain = decode_in_pieces(decoder.process, data[:-4], limit)
    if not decoder.is_finished():
        raise ValueError("a brotli stream is cut short")
    return check_plain(plain, data)


def take_apart(data: bytes) -> tuple[list[bytes], list[bytes]]:
    """(streams for lrzip, streams for brotli): of the container of nine seven and two, of one stream one and none."""
    streams = split_streams(b"PGRP", 9 if data[4:5] == b"\x09" else 1, data)
    return streams[:7], streams[7:]


class LrzipCoder:
    """Entropy coder; `name` is safe in a file name."""

    name = "lrzip"

    def prepare(self, session: Session) -> str:
        """Ten bytes in every stream, both ways."""
        self.compress(join_streams(b"PGRP", [b"ten bytes."] * 9), Ledger())
        return "lrzip and brotli give back what they were given"

    def compress(self, data: bytes, ledger: Ledger) -> bytes:
        """The streams compressed; ValueError unless they give back `data`."""
        groups, others = take_apart(data) if data[:4] == b"PGRP" else ([data], [])
        limits = [2 * len(group) + 4096 for group in groups]
        packed = side_by_side(partial(run_lrzip, flags=("-z", "-L", "9", "-T")), groups, limits)
        packed += [add_checksum(brotli.compress(stream, quality=11, lgwin=24), stream) for stream in others]
        # A container for one stream, too: lrzip would not see what follows it.
        artifact = join_streams(b"PGRP", packed)
        if self.decompress(artifact, len(data)) != data:
            raise ValueError("lrzip does not give back what it was given: install one that works")
        ledger.note("lrzip", f"{len(data)} -> {len(artifact)} bytes")
        return artifact

    def decompress(self, data: bytes, limit: int) -> bytes:
        """The plain streams; lrzip may write no more than the heads of its streams announce, and they no more than `limit`.

        Raises:
            ValueError: when a stream is damaged, or they are more than `limit` bytes.
        """
        groups, others = take_apart(data)
        sizes = [int.from_bytes(group[6:14], "little") for group in groups]
        left = limit - sum(sizes)
        if left < 0:
            raise ValueError(f"the streams hold more than {limit} bytes")
        rest = [unbrotli(stream, left) for stream in others]
        plain = side_by_side(partial(run_lrzip, flags=("-d",)), groups, sizes)
        return join_streams(b"PGRP", [*plain, *rest]) if others else plain[0]


@hookimpl
def entropy_coder(settings: SettingsView) -> Component:
    """Level 9."""
    return Component(LrzipCoder)
