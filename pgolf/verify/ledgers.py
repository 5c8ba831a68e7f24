"""The score ledger beside a log, read in parts: a stream of validation tokens is longer than what may be kept in memory.

`pgolf.score_ledger` has the format. The file is other people's, so that what its headers promise is not believed.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, NamedTuple

from pgolf.score_ledger import NEVER

if TYPE_CHECKING:
    import numpy as np

PART = 2**20
"""Tokens that are read at a time."""
MOST_TOKENS = 2**28
HEADER = 4096


class Ledger(NamedTuple):
    """Its tokens, targets that were never scored, tokens learnt from too early, the first of each, and tokens learnt from."""

    tokens: int
    unscored: int
    first_unscored: int
    early: int
    first_early: int
    learned: int


class NoLedger(Exception):
    """A file that is none; the message says why."""


def read_ledger(file: IO[bytes]) -> Ledger:
    """Go through both arrays side by side.

    Raises:
        NoLedger: for another file, or one that is damaged.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if "scored_at.npy" not in names or len(names) > 2:
                raise NoLedger("is no archive of scored_at and learned_at")
            with archive.open("scored_at.npy") as scored:
                if "learned_at.npy" not in names:
                    return _walk(scored, None)
                with archive.open("learned_at.npy") as learned:
                    return _walk(scored, learned)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise NoLedger(f"is no score ledger: {str(error)[:100]}") from None


def _walk(scored: IO[bytes], learned: IO[bytes] | None) -> Ledger:
    import numpy

    tokens, unscored, early, used = _length(scored), 0, 0, 0
    first_unscored = first_early = -1
    if learned is not None and _length(learned) != tokens:
        raise NoLedger("has arrays of different lengths")
    at = 0
    for part in _parts(scored, tokens):
        other = next(_parts(learned, len(part))) if learned is not None else numpy.full_like(part, NEVER)
        bad = numpy.flatnonzero(part < 1) + at
        bad = bad[bad > 0]  # the first token has nothing before it
        soon = numpy.flatnonzero(other <= part) + at
        first_unscored = int(bad[0]) if len(bad) and not unscored else first_unscored
        first_early = int(soon[0]) if len(soon) and not early else first_early
        unscored, early, used = unscored + len(bad), early + len(soon), used + int((other < NEVER).sum())
        at += len(part)
    return Ledger(tokens, unscored, first_unscored, early, first_early, used)


def _length(file: IO[bytes]) -> int:
    """Tokens of an array, from its header; the file stands at the data then."""
    from numpy.lib import format as npy

    if npy.read_magic(file) != (1, 0):
        raise NoLedger("has an array of another format")
    shape, fortran, dtype = npy.read_array_header_1_0(file, max_header_size=HEADER)
    if len(shape) != 1 or fortran or dtype.str != "<i4" or not 0 < shape[0] <= MOST_TOKENS:
        raise NoLedger(f"has an array of {dtype} {shape}, wanted int32 (N,)")
    return int(shape[0])


def _parts(file: IO[bytes], tokens: int) -> Iterator[np.ndarray]:
    import numpy

    while tokens > 0:
        count = min(tokens, PART)
        data = file.read(4 * count)
        if len(data) != 4 * count:
            raise NoLedger("is cut short")
        yield numpy.frombuffer(data, "<i4")
        tokens -= count
