"""What each choice of the context coder is worth: `python benchmarks/context_coder.py MODEL...`, a MODEL as in compressors.py.

For every group of matrices of codes: entropy of order 0 by tensor, and the bytes of the model with every set of flags that the
encoder may choose, by its own estimate, tables fresh; then bytes, seconds of the processor and MiB of the whole.
"""

import copy
import sys

import numpy as np
from compressors import entropy_bytes, load, measure

from pgolf.runtime.code_contexts import CHOICES
from pgolf.runtime.code_planes import planes, to_planes
from pgolf.runtime.plane_choices import choose, code_plane, possible
from pgolf.runtime.rans import RansEncoder
from pgolf_plugins.compressor.context_coder import ContextCoder, ContextLayout

CODER = ContextCoder(())
SETS = (0, 1, 2, 3, 4, 6, 8, 10, 12, 14)


def allowed(flags, plane):
    """May the encoder choose them?"""
    return all(possible(flag, flags, plane) for flag in CHOICES if flags & flag)


def rows_of(encoded):
    """A row of the table for each group."""
    kinds, body = to_planes(encoded)
    done, at = [], 0
    for number, plane in enumerate(planes(kinds)):
        count = int(np.prod(plane.shape))
        done.append(np.frombuffer(body, np.int8, count, at).reshape(plane.shape).copy())
        at += count
        if count < 2**16:
            continue
        entropy = sum(entropy_bytes(np.bincount(codes.ravel().astype(int) + 128)) for codes in done[number])
        coder = RansEncoder(CODER.tables())
        sizes = choose(coder, number, plane, done, ())[1:]
        found = []
        for flags in SETS:
            if allowed(flags, plane):
                trial = RansEncoder(copy.deepcopy(coder.tables))
                code_plane(trial, number, plane, done, [flags, *sizes], ())
                found.append(f"{flags}: {100 * (trial.bits / 2**19 / entropy - 1):+.3f} %")
        print(f"| {plane.shape} | {entropy:,.0f} | {', '.join(found)} |", flush=True)


def main():
    """Two tables for each model."""
    for text in sys.argv[1:]:
        encoded = load(text)
        print(f"\n{text}\n\n| group | entropy | flags and difference |\n| --- | --- | --- |")
        rows_of(encoded)
        print("\n| | bytes | packing | unpacking |\n| --- | --- | --- | --- |")
        measure(encoded, [("context_coder", ContextLayout(), CODER)])


if __name__ == "__main__":
    main()
