"""Zstandard at level 22, with its checksum.

About a twentieth smaller than zlib on int6 codes. The public scripts go over to zlib where the package is missing, without a
word, and the artifact grows; here the run ends before training.

Source: openai/parameter-golf#162 and its line (USE_ZSTD, ZSTD_LEVEL).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Need, Plugin, Setting, hookimpl
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.streams import decode_in_pieces

try:
    import zstandard
except ImportError:
    zstandard = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="zstd",
    summary="Zstandard at level 22.",
    source="openai/parameter-golf#162",
    family="compressor",
    effect="about -5 % against zlib on int6 codes",
    settings=(Setting("zstd_level", 22, "compression level, 1 to 22", minimum=1, below=23),),
    needs=(Need("python", "zstandard", "compresses the artifact and reads it back"),),
)


class ZstdCoder:
    """Entropy coder; `name` is safe in a file name."""

    name = "zstd"

    def __init__(self, level: int) -> None:
        self.level = level

    def prepare(self, session: Session) -> None:
        """Ten bytes, both ways."""
        if zstandard is None:
            raise ValueError("the package zstandard is missing: pip install zstandard")
        if self.decompress(self.compress(b"ten bytes.", Ledger()), 10) != b"ten bytes.":
            raise ValueError("zstandard does not give back what it was given: install one that works")

    def compress(self, data: bytes, ledger: Ledger) -> bytes:
        """One frame with its size and a checksum, by one thread."""
        packed: bytes = zstandard.ZstdCompressor(level=self.level, write_checksum=True).compress(data)
        ledger.note("zstd", f"{len(data)} -> {len(packed)} bytes")
        return packed

    def decompress(self, data: bytes, limit: int) -> bytes:
        """The original bytes.

        Raises:
            ValueError: when the frame announces more than `limit`, is damaged or cut short, or is not all there is.
        """
        try:
            size = zstandard.frame_content_size(data)
            if not 0 <= size <= limit:
                raise ValueError(f"the frame announces {size} bytes, wanted at most {limit}")
            decoder = zstandard.ZstdDecompressor().decompressobj()
            plain = decode_in_pieces(decoder.decompress, data, size)
        except zstandard.ZstdError as error:
            raise ValueError(f"the zstd frame cannot be read: {error}") from error
        if not decoder.eof or decoder.unused_data:
            raise ValueError("wanted one whole zstd frame and nothing behind it")
        return plain


@hookimpl
def entropy_coder(settings: SettingsView) -> Component:
    """Level 22 unless another is set."""
    return Component(ZstdCoder, level=settings.zstd_level)
