"""What is zstd's alone; round trips, limits and sizes are with those of the other coders."""

import pytest
from zstandard_package import needs_zstandard

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.compressor import zstd as zstd_plugin
from pgolf_plugins.compressor.zstd import ZstdCoder


@needs_zstandard
def test_a_broken_zstandard_is_found_by_prepare(monkeypatch):
    assert ZstdCoder(22).prepare(None) is None
    monkeypatch.setattr(zstd_plugin, "decode_in_pieces", lambda decode, data, limit: decode(data)[1:])
    with pytest.raises(ValueError, match="zstandard does not give back"):
        ZstdCoder(22).prepare(None)


def test_a_missing_zstandard_is_found_by_prepare(monkeypatch):
    """No other compression is taken in its place."""
    monkeypatch.setattr(zstd_plugin, "zstandard", None)
    with pytest.raises(ValueError, match="pip install zstandard"):
        ZstdCoder(22).prepare(None)
    with pytest.raises(AttributeError):
        ZstdCoder(22).compress(b"data", Ledger())


@needs_zstandard
def test_a_zstd_frame_must_say_its_size():
    """What it holds could otherwise be anything, and a wrong size is found out."""
    import zstandard

    data = bytes(range(256)) * 20
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(data)
    with pytest.raises(ValueError, match="announces -1 bytes"):
        ZstdCoder(22).decompress(unsized, 10**6)
    packed = ZstdCoder(22).compress(data, Ledger())
    low = bytes([packed[5] ^ 1])
    with pytest.raises(ValueError, match=r"cannot be read|more than|one whole"):
        ZstdCoder(22).decompress(packed[:5] + low + packed[6:], 10**6)
