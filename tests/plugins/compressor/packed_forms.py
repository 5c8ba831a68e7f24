"""What holds for every form of packed codes: the published bytes, the definition, and no other bytes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_vectors import load_case


def check_vectors(pack, unpack, case, key):
    """Bytes equal to the published ones, and codes that come back."""
    for size in ("n1000", "n7"):
        found = load_case(f"{case}_{size}")
        codes, packed = found.inputs["q"].numpy(), found.outputs[key].numpy()
        assert np.array_equal(pack(codes), packed)
        back = unpack(packed, found.outputs["n"].item())
        assert np.array_equal(back, codes) and back.dtype == np.int8


def check_definition(pack, unpack, values, slowly):
    """`slowly` is the definition, code by code."""

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.sampled_from(values), min_size=1, max_size=60))
    def check(codes):
        packed = pack(np.array(codes, np.int8))
        assert packed.dtype == np.uint8 and packed.tolist() == slowly(codes)
        assert unpack(packed, len(codes)).tolist() == codes

    check()


def bytes_of(bits, weights):
    """Eight bits a byte, filled up with zeros."""
    return [
        sum(weight for weight, bit in zip(weights, bits[at : at + 8], strict=False) if bit)
        for at in range(0, len(bits), 8)
    ]


def check_other_bytes(pack, unpack, values):
    """Codes have one form: nothing behind the last one, nothing in the filling, no digit that there is not."""
    codes = np.array([values[0]] * 9 + [values[-1]] * 3, np.int8)
    packed = pack(codes)
    for wrong in (packed[:-1], np.append(packed, np.uint8(0)), np.append(packed[:-1], np.uint8(255))):
        with pytest.raises(ValueError, match="12"):
            unpack(wrong, 12)
