from packed_forms import bytes_of, check_definition, check_other_bytes, check_vectors

from pgolf_plugins.compressor.bit_pack import pack_bits, unpack_bits

VALUES = (-1, 1)


def slowly(codes):
    """Code by code."""
    return bytes_of([q > 0 for q in codes], [2**i for i in range(8)])


def test_bytes_are_the_published_ones():
    check_vectors(pack_bits, unpack_bits, "Z8_bits", "packed")


def test_bytes_are_the_definition():
    check_definition(pack_bits, unpack_bits, VALUES, slowly)


def test_other_bytes_are_refused():
    check_other_bytes(pack_bits, unpack_bits, VALUES)
