from packed_forms import bytes_of, check_definition, check_other_bytes, check_vectors

from pgolf_plugins.compressor.bitmask import pack_bitmask, unpack_bitmask

VALUES = (-1, 0, 1)


def slowly(codes):
    """Code by code."""
    highest_first = [2 ** (7 - i) for i in range(8)]
    return bytes_of([q != 0 for q in codes], highest_first) + bytes_of([q > 0 for q in codes if q], highest_first)


def test_bytes_are_the_published_ones():
    check_vectors(pack_bitmask, unpack_bitmask, "Z6_Z7_trits", "bitmask")


def test_bytes_are_the_definition():
    check_definition(pack_bitmask, unpack_bitmask, VALUES, slowly)


def test_other_bytes_are_refused():
    check_other_bytes(pack_bitmask, unpack_bitmask, VALUES)
