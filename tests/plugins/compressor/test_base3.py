from packed_forms import check_definition, check_other_bytes, check_vectors

from pgolf_plugins.compressor.base3 import pack_base3, unpack_base3

VALUES = (-1, 0, 1)


def slowly(codes):
    """Code by code."""
    return [sum((q + 1) * 3**i for i, q in enumerate(codes[at : at + 5])) for at in range(0, len(codes), 5)]


def test_bytes_are_the_published_ones():
    check_vectors(pack_base3, unpack_base3, "Z6_Z7_trits", "base3")


def test_bytes_are_the_definition():
    check_definition(pack_base3, unpack_base3, VALUES, slowly)


def test_other_bytes_are_refused():
    check_other_bytes(pack_base3, unpack_base3, VALUES)
