"""What is LZMA's alone; round trips, limits and sizes are with those of the other coders."""

import lzma

import pytest

from pgolf.runtime.ledger import Ledger
from pgolf.settings import SettingsView
from pgolf_plugins.compressor.lzma import LzmaCoder, entropy_coder

DATA = bytes(index * index % 251 for index in range(5000))


def test_any_reader_of_xz_opens_it_and_the_other_way_round():
    assert lzma.decompress(LzmaCoder().compress(DATA, Ledger())) == DATA
    assert LzmaCoder().decompress(lzma.compress(DATA, preset=1), len(DATA)) == DATA


def test_it_is_preset_nine_in_an_xz_container():
    packed = LzmaCoder().compress(DATA, Ledger())
    assert packed == lzma.compress(DATA, format=lzma.FORMAT_XZ, preset=9) and packed[:6] == b"\xfd7zXZ\0"


def test_a_stream_that_wants_more_memory_than_there_is_is_refused():
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 2**28}]
    with pytest.raises(lzma.LZMAError):
        LzmaCoder().decompress(lzma.compress(DATA, filters=filters), len(DATA))


def test_a_flipped_bit_is_found():
    packed = bytearray(LzmaCoder().compress(DATA, Ledger()))
    packed[len(packed) // 2] ^= 1
    with pytest.raises((ValueError, lzma.LZMAError)):
        LzmaCoder().decompress(bytes(packed), len(DATA))


def test_the_hook_gives_it():
    component = entropy_coder(SettingsView({}, {"lzma"}))
    assert component.target is LzmaCoder and LzmaCoder.name == "lzma"
