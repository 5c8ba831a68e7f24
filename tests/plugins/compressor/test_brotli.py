"""What is brotli's alone; round trips, limits and sizes are with those of the other coders."""

import zlib

import brotli
import pytest
import torch

from pgolf import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.settings import SettingsView
from pgolf_plugins.compressor import brotli as brotli_plugin
from pgolf_plugins.compressor.brotli import BrotliCoder, entropy_coder

DATA = bytes(index * index % 251 for index in range(5001))


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_any_reader_of_brotli_opens_it(stride):
    """Behind the header stand the bytes at offsets 0, s, 2s, ..., then those at 1, s + 1, ..."""
    plain = brotli.decompress(BrotliCoder(stride).compress(DATA, Ledger())[:-4])
    assert plain == b"BSHF" + bytes([stride]) + b"".join(DATA[offset::stride] for offset in range(stride))


def test_a_wrong_checksum_is_found():
    packed = BrotliCoder(2).compress(DATA, Ledger())
    with pytest.raises(ValueError, match="checksum"):
        BrotliCoder(2).decompress(packed[:-1] + bytes([packed[-1] ^ 1]), len(DATA))
    assert packed[-4:] == zlib.crc32(DATA).to_bytes(4, "little")


def test_a_broken_brotli_is_found_by_prepare(monkeypatch):
    assert BrotliCoder(2).prepare(None) is None
    monkeypatch.setattr(brotli_plugin, "check_plain", lambda plain, packed: b"nine byte")
    with pytest.raises(ValueError, match="brotli does not give back"):
        BrotliCoder(2).prepare(None)


def test_a_stride_of_four_helps_float32():
    values = (1 + torch.rand(3000, generator=torch.Generator().manual_seed(0)) / 256).numpy().tobytes()
    sizes = [len(BrotliCoder(stride).compress(values, Ledger())) for stride in (1, 2, 4)]
    assert sizes[2] < sizes[1] < sizes[0]


def test_other_strides_are_refused():
    assert entropy_coder(SettingsView({"byte_shuffle_stride": 4}, {"brotli"})).arguments == {"stride": 4}
    with pytest.raises(PgolfError, match="1, 2 or 4"):
        entropy_coder(SettingsView({"byte_shuffle_stride": 3}, {"brotli"}))
