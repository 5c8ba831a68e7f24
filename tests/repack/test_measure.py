"""What repacking is measured against is what it is said to be."""

import lzma

from pgolf.repack.measure import baseline, strongest


def test_the_baseline_is_minified_compressed_and_written_in_base85():
    text = "def area(width, height):\n    return width * height\n" * 9
    size = baseline(text)
    assert size is not None and 100 < size < len(text)
    assert baseline("def f(:") is None


def test_a_small_dictionary_loses_nothing():
    data = b"".join(b"line %d of %d\n" % (number * number, number) for number in range(999))
    assert len(strongest(data)) == len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
    assert lzma.decompress(strongest(data)) == data
