"""LZMA at preset 9 (Z3), in the .xz container.

On int6 codes about a tenth smaller than zlib; preset 9 gains 0.3 % on preset 6.

Source: openai/parameter-golf#549 and its line.
"""

import lzma

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="lzma",
    summary="LZMA at preset 9.",
    source="openai/parameter-golf#549",
    family="compressor",
    effect="about -10 % against zlib on int6 codes",
)


class LzmaCoder:
    """Entropy coder; `name` is safe in a file name."""

    name = "lzma"

    def compress(self, data, ledger):
        """Compressed bytes."""
        packed = lzma.compress(data, preset=9)
        ledger.note("lzma", f"{len(data)} -> {len(packed)} bytes")
        return packed

    def decompress(self, data, limit):
        """The original bytes, with at most 128 MiB for the decoder itself.

        Raises:
            ValueError: when they are more than `limit`, or the stream is not complete.
        """
        stream = lzma.LZMADecompressor(memlimit=2**27)
        plain = stream.decompress(data, limit)
        if not stream.eof:
            raise ValueError(f"cut short or more than {limit} bytes")
        return plain


@hookimpl
def entropy_coder(settings):
    """Preset 9."""
    return Component(LzmaCoder)
