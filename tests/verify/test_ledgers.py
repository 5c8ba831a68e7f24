"""Score ledgers are read in parts, within limits."""

import io
import zipfile

import numpy
import pytest

from pgolf.score_ledger import NEVER
from pgolf.verify.ledgers import PART, NoLedger, read_ledger


def arrays(tokens=64, **changes):
    scored = numpy.arange(tokens, dtype=numpy.int32) // 8
    scored[1:] += 1
    learned = numpy.full(tokens, NEVER, numpy.int32)
    learned[:8] = 30
    return {"scored_at": scored, "learned_at": learned, **changes}


def packed(**values):
    buffer = io.BytesIO()
    numpy.savez_compressed(buffer, **values)
    return buffer.getvalue()


def test_long_streams_are_read_in_parts():
    tokens = 2 * PART + 5
    bad = arrays(tokens)
    bad["learned_at"][-1] = 1
    bad["scored_at"][PART] = 0
    found = read_ledger(io.BytesIO(packed(**bad)))
    assert (found.tokens, found.unscored, found.first_unscored, found.first_early) == (tokens, 1, PART, tokens - 1)


def test_a_header_that_promises_more_than_is_there():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        text = "{'descr': '<i4', 'fortran_order': False, 'shape': (200000000,), }".ljust(117) + "\n"
        archive.writestr("scored_at.npy", b"\x93NUMPY\x01\x00\x76\x00" + text.encode() + bytes(64))
    with pytest.raises(NoLedger, match="short"):
        read_ledger(buffer)
