"""What is zlib's alone; round trips, limits and sizes are with those of the other coders."""

import zlib

import pytest

from pgolf.runtime.ledger import Ledger
from pgolf.settings import SettingsView
from pgolf_plugins.compressor.zlib import ZlibCoder, entropy_coder

DATA = bytes(index * index % 251 for index in range(5000))


def test_any_reader_of_zlib_opens_it_and_the_other_way_round():
    assert zlib.decompress(ZlibCoder().compress(DATA, Ledger())) == DATA
    assert ZlibCoder().decompress(zlib.compress(DATA, 1), len(DATA)) == DATA


def test_it_is_level_nine():
    packed = ZlibCoder().compress(DATA, Ledger())
    assert packed == zlib.compress(DATA, 9) and packed[:2] == b"\x78\xda"


def test_a_flipped_bit_is_found():
    packed = bytearray(ZlibCoder().compress(DATA, Ledger()))
    packed[-1] ^= 1
    with pytest.raises((ValueError, zlib.error)):
        ZlibCoder().decompress(bytes(packed), len(DATA))


def test_a_raw_stream_is_refused():
    coder = zlib.compressobj(9, wbits=-15)
    with pytest.raises((ValueError, zlib.error)):
        ZlibCoder().decompress(coder.compress(DATA) + coder.flush(), len(DATA))


def test_the_hook_gives_it():
    component = entropy_coder(SettingsView({}, {"zlib"}))
    assert component.target is ZlibCoder and ZlibCoder.name == "zlib"
