"""bzip2 at level 9."""

import bz2

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_bz2",
    summary="The bzip2 coder.",
    source="pgolf's documentation",
    family="compressor",
)


class Bzip2:
    """`name` is part of file names."""

    name = "bz2"

    def compress(self, data, ledger):
        """The receipt says what was done."""
        packed = bz2.compress(data)
        ledger.note("example_bz2", f"{len(data)} -> {len(packed)} bytes")
        return packed

    def decompress(self, data, limit):
        """A damaged artifact must not fill the memory."""
        stream = bz2.BZ2Decompressor()
        plain = stream.decompress(data, limit + 1)
        if len(plain) > limit or not stream.eof or stream.unused_data:
            raise ValueError(f"wanted one whole stream of at most {limit} bytes")
        return plain


@hookimpl
def entropy_coder(settings) -> Component:
    """In place of zlib."""
    return Component(Bzip2)
