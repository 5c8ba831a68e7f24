"""zlib at level 9, the baseline's entropy coder.

Source: the baseline script.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl

if TYPE_CHECKING:
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="zlib",
    summary="Deflate at level 9.",
    source="openai/parameter-golf baseline train_gpt.py",
    family="compressor",
)


class ZlibCoder:
    """Entropy coder; `name` is safe in a file name."""

    name = "zlib"

    def compress(self, data: bytes, ledger: Ledger) -> bytes:
        """Compressed bytes."""
        packed = zlib.compress(data, 9)
        ledger.note("zlib", f"{len(data)} -> {len(packed)} bytes")
        return packed

    def decompress(self, data: bytes, limit: int) -> bytes:
        """The original bytes.

        Raises:
            ValueError: when they are more than `limit`, or the stream is not complete or not all there is.
        """
        decoder = zlib.decompressobj()
        plain = decoder.decompress(data, limit)
        if not decoder.eof or decoder.unused_data:
            raise ValueError(f"wanted one whole stream of at most {limit} bytes")
        return plain


@hookimpl
def entropy_coder(settings: SettingsView) -> Component:
    """Level 9."""
    return Component(ZlibCoder)
