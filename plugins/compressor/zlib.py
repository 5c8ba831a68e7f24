"""zlib at level 9 (Z1), the baseline's entropy coder.

Source: the baseline script.
"""

import zlib

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="zlib",
    summary="Deflate at level 9.",
    source="openai/parameter-golf baseline train_gpt.py",
    family="compressor",
)


class ZlibCoder:
    """Entropy coder; `name` is safe in a file name."""

    name = "zlib"

    def compress(self, data, ledger):
        """Compressed bytes."""
        packed = zlib.compress(data, 9)
        ledger.note("zlib", f"{len(data)} -> {len(packed)} bytes")
        return packed

    def decompress(self, data, limit):
        """The original bytes.

        Raises:
            ValueError: when they are more than `limit`, or the stream is not complete.
        """
        stream = zlib.decompressobj()
        plain = stream.decompress(data, limit)
        if not stream.eof:
            raise ValueError(f"cut short or more than {limit} bytes")
        return plain


@hookimpl
def entropy_coder(settings):
    """Level 9."""
    return Component(ZlibCoder)
