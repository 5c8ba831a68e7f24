import zlib as standard_zlib

import brotli
import pytest
import torch
from pipeline_vectors import load_case
from zstandard_package import needs_zstandard

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.streams import shuffle_bytes, unshuffle_bytes
from pgolf_plugins.compressor import lzma as lzma_plugin
from pgolf_plugins.compressor import zlib as zlib_plugin
from pgolf_plugins.compressor.brotli import BrotliCoder
from pgolf_plugins.compressor.lzma import LzmaCoder
from pgolf_plugins.compressor.zlib import ZlibCoder
from pgolf_plugins.compressor.zstd import ZstdCoder

ZSTD = pytest.param(ZstdCoder(22), marks=needs_zstandard)
CODERS = [ZlibCoder(), LzmaCoder(), BrotliCoder(2), BrotliCoder(4), ZSTD]
each_coder = pytest.mark.parametrize("coder", CODERS, ids=lambda coder: coder.name)


@each_coder
@pytest.mark.parametrize("size", [0, 1, 2, 255, 100_001])
def test_round_trip(coder, size):
    data, ledger = bytes(index * index % 251 for index in range(size)), Ledger()
    packed = coder.compress(data, ledger)
    assert coder.decompress(packed, size + 1) == data
    assert ledger.receipt(coder.name) == f"{size} -> {len(packed)} bytes"


@each_coder
def test_exactly_the_limit_is_allowed(coder):
    packed = coder.compress(bytes(5000), Ledger())
    assert coder.decompress(packed, 5000) == bytes(5000)


@each_coder
def test_a_bomb_is_refused(coder):
    bomb = coder.compress(bytes(20_000_000), Ledger())
    assert len(bomb) < 25_000
    with pytest.raises(ValueError, match=r"(?:more than|at most) 10000\d"):
        coder.decompress(bomb, 100_000)


@each_coder
def test_a_stream_cut_short_is_refused(coder):
    packed = coder.compress(torch.randint(256, (3000,)).to(torch.uint8).numpy().tobytes(), Ledger())
    for end in (0, 1, len(packed) // 2, len(packed) - 1):
        with pytest.raises(ValueError, match=r"cut short|one whole|cannot be read"):
            coder.decompress(packed[:end], 10_000)


@each_coder
@pytest.mark.parametrize("tail", [b"x", bytes(1000)])
def test_bytes_behind_a_stream_are_refused(coder, tail):
    """Also where the stream ends with a piece of what is read at once; `brotli.error` is no ValueError."""
    for size in range(200, 460, 1 if coder.name in ("brotli", "zstd") else 99):
        packed = coder.compress(torch.randint(256, (size,)).to(torch.uint8).numpy().tobytes(), Ledger())
        with pytest.raises((ValueError, brotli.error)):
            coder.decompress(packed + tail, 10_000)


@pytest.mark.parametrize(
    ("coder", "key"),
    [
        (ZlibCoder(), "zlib9"),
        (LzmaCoder(), "lzma9"),
        (BrotliCoder(1), "brotli11"),
        (BrotliCoder(2), "shuffle2_brotli11"),
        pytest.param(ZstdCoder(22), "zstd22", marks=needs_zstandard),
    ],
)
def test_sizes_on_int6_codes(coder, key):
    case = load_case("Z1_Z4_sizes_int6codes")
    packed = coder.compress(case.inputs["data"].numpy().tobytes(), Ledger())
    assert len(packed) == pytest.approx(case.expected["sizes"][key], rel=0.01)


@pytest.mark.parametrize("name", ["Z4_shuffle_pr1394_even", "Z4_shuffle_pr1394_odd"])
def test_shuffled_bytes(name):
    case = load_case(name)
    (data,), (shuffled,) = case.inputs.values(), case.outputs.values()
    assert shuffle_bytes(data.numpy().tobytes(), 2) == shuffled.numpy().tobytes()
    assert unshuffle_bytes(shuffled.numpy().tobytes(), 2) == data.numpy().tobytes()


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 255])
def test_every_byte_comes_back_from_its_place(stride):
    for size in (0, 1, 3, 4, 5, 31, 32):
        data = bytes(range(size))
        shuffled = shuffle_bytes(data, stride)
        order = sorted(range(size), key=lambda at: (at % stride, at // stride))
        assert shuffled == b"BSHF" + bytes([stride]) + bytes(data[at] for at in order)
        assert unshuffle_bytes(shuffled, stride) == data


@pytest.mark.parametrize("data", [b"", b"BSHF", b"BSHF\x03ab", b"abcdefgh"])
def test_another_header_is_refused(data):
    with pytest.raises(ValueError, match="header"):
        unshuffle_bytes(data, 2)


def test_the_plugins_use_the_standard_library():
    assert zlib_plugin.zlib is standard_zlib
    assert hasattr(lzma_plugin.lzma, "LZMADecompressor")
