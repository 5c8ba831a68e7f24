"""Decoders stop at a bound, and refuse what would need more."""

import bz2
import lzma
import zlib

import brotli
import pytest
from packed_texts import INNER, RAW2, b85, read_back

from pgolf.wrappers.decoders import OUTPUT_LIMIT


@pytest.mark.parametrize("bomb", ["zlib", "lzma", "brotli", "bz2"])
def test_bombs_are_refused(bomb):
    data = bytes(8 * OUTPUT_LIMIT)
    packed = {"zlib": zlib, "lzma": lzma, "bz2": bz2, "brotli": brotli}[bomb].compress(data)
    found = read_back(f'import {bomb},base64\nexec({bomb}.decompress(base64.b85decode("{b85(packed)}")))\n')
    assert "more than" in found.opaque


@pytest.mark.parametrize("size", [1000, 3 * 2**20])
def test_the_largest_preset_of_xz_is_read(size):
    packed = lzma.compress((INNER + "#" * size).encode(), preset=9 | lzma.PRESET_EXTREME)
    found = read_back(f"import lzma\nexec(lzma.decompress({packed!r}))\n")
    assert found.text.startswith(INNER) and not found.opaque


def test_filters_that_want_memory_are_refused():
    source = f'import lzma,base64\nexec(lzma.decompress(base64.b85decode("{RAW2}"),3,None,[{{"id":33,"dict_size":2**32-1}}]))'
    assert "memory" in read_back(source).opaque
