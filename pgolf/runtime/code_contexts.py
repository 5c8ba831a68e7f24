"""The model of matrices of int8 codes: how large and where each code is expected, from those before it.

Matrices of one group (matrices, rows, columns) are coded together: blocks of rows, in these the columns in order, all rows of a
column at once. For code x of row r and column c:

    e_rc    = x_rc - sum_k<c l_ck e_rk                    innovations: what the row so far did not tell, e_r0 = 1
    mu      = x_rc - e_rc  +  a_r z_rc                    with the code z of a partner matrix
    sigma^2 = v_c p_r (E_r + n) / (N_r + n)               of its column, of its step, and of its row so far
    context = (quantizer, quarter octaves of sigma^2, mu - floor(mu + 1/2) in quarters)       symbol = x - round(mu) mod 256

L D L' is what the products of all earlier blocks with a ridge are made of, in units of 2^-10; v the squares that remain of each
column. Where every row has the same sum of squares, as clips by its spread make it, E and N run down from that sum: n < 0.
Every sum is of integers that doubles hold exactly, and the rest is done element by element with + - * / and no library
function: encoder and decoder agree on every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT = 1024
FINE = 64
PANEL = 32
WIDEST = 1024
CLASSES = 96
PHASES = 4
COLUMN_WEIGHT = 100.0
ROW_WEIGHT = 20.0
# How far sums of squares of rows are from their mean, squared and halved, in squares of a code: 6 to 7 of them.
SUM_WEIGHT = 24.0
PARTNER_WEIGHT = 100.0
TILT_WEIGHT = 500.0
# Flags in the order in which they are tried: transposed, regression, spread by steps, equal sums in rows.
CHOICES = (1, 2, 4, 8)
# Rows of the ridge, of one matrix and of several: rows of an embedding have more in common than those of many layers.
RIDGES = 1000.0, 10000.0
# Rows whose sums of products float32 holds exactly: squares of codes are at most 2^14.
EXACT_ROWS = 1024


def quarter_octaves(value: np.ndarray) -> np.ndarray:
    """About 4 log2(value) + 24 in 0 .. 95, from the bits of its float32."""
    octaves = np.asarray(value, np.float32).view(np.int32).astype(np.int64) - (121 << 23) >> 21
    # `clip` of integers asks for their limits in Python, which takes as long as all the rest.
    within: np.ndarray = np.minimum(np.maximum(octaves, 0), CLASSES - 1)
    return within


def first_counts(quantizers: int) -> np.ndarray:
    """(contexts, 256): about normal, (1 + t^2 / 32)^-16 for t deviations from the phase's middle."""
    context = np.arange(CLASSES * PHASES)
    # The middle of those that `quarter_octaves` takes for one, and what rounding adds.
    square = ((context // PHASES << 21) + (121 << 23)).astype(np.int32).view(np.float32)[:, None] * 1.1 + 0.08
    away = np.arange(256) - 128 - ((context % PHASES + 0.5) / PHASES - 0.5)[:, None]
    weight = 1 / (1 + away * away / (32 * square))
    for _ in range(4):
        weight *= weight
    return np.tile(1 + (weight * 20000 / np.sqrt(6.3 * square)).astype(np.int64), (quantizers, 1))


def row_blocks(rows: int, matrices: int) -> Iterator[tuple[int, int]]:
    """(first, behind the last) of blocks, each a third as long as all before it."""
    start, stop = 0, rows // max(1, 128 // matrices) + 1
    while start < rows:
        yield start, min(rows, stop)
        start, stop = stop, stop + -(-stop // 3)


def innovations(gram: np.ndarray, ridge: float) -> np.ndarray:
    """(columns, columns + 1): L below its first row, without its diagonal, in units of 2^-10.

    Args:
        gram: of rows (1, codes); its corner is their number.
        ridge: in rows of codes as large as all are on average.
    """
    squares = np.diag(gram).copy()
    squares[1:] += ridge * squares[1:].sum() / ((len(gram) - 1) * squares[0]) + 1e-3
    system = np.where(np.eye(len(gram)), squares, gram).astype(np.float32)
    for k in range(len(gram)):
        system[k + 1 :, k] /= system[k, k]
        system[k + 1 :, k + 1 :] -= system[k + 1 :, k, None] * system[k, k + 1 :]
    # Within limits where all products are exact, whatever the codes were.
    factors: np.ndarray = np.rint(np.tril(system[1:].astype(np.float64) * UNIT)).clip(-(2**20), 2**20)
    return factors


def within(mean: np.ndarray) -> np.ndarray:
    """What a code may be."""
    limited: np.ndarray = np.minimum(np.maximum(mean, -128.0), 127.0)
    return limited


def model_codes(
    coder: Any,
    codes: np.ndarray,
    sizes: list[float],
    steps: np.ndarray,
    partner: np.ndarray | None,
    flags: int,
    transitions: tuple[tuple[int, int], ...] = (),
) -> None:
    """Code `codes` with `coder`, in place.

    Args:
        coder: `code(contexts, symbols)` gives the symbols, those it is given or those it reads.
        codes: int8 (matrices, rows, columns); read by an encoder, written by a decoder.
        sizes: mean squares of the matrices, about.
        steps: the bits of float16 steps as integers, less their mean, by broadcasting; p is 1 / step^2, about.
        partner: z, int8, shaped like `codes`.
        flags: of `CHOICES`; the caller transposes.
        transitions: next state of a trellis by state and by parity of the code, from 0 in every row; bit 0 is its quantizer.
    """
    matrices, rows, columns = codes.shape
    if flags & 2 and columns > WIDEST:
        raise ValueError(f"a regression over {columns} columns: wanted at most {WIDEST}")
    table = np.array(transitions)
    # float16 is a float32 without its lowest 13 bits, and twice the bits less those of 1 are about the square's.
    bits = (127 << 23) - (steps.astype(np.int32) << 14)
    spread = np.broadcast_to(bits.astype(np.int32).view(np.float32).astype(np.float64).clip(2**-9, 2**9), codes.shape)
    size = np.array(sizes).clip(1e-3, 1e5)[:, None]
    expected = np.tile(size, columns)
    squares, past, gram, factors = np.zeros((matrices, columns)), 0.0, np.zeros(()), None
    tilts, tilt = np.zeros((2, matrices, columns)), np.zeros((matrices, columns))
    slope, power = np.zeros((matrices, 1)), 1.0
    for start, stop in row_blocks(rows, matrices):
        shape = matrices, stop - start
        # A column of codes is a row here, so that it lies together.
        known = np.ones((columns + 1, shape[0] * shape[1]))
        known[1:] = codes[:, start:stop].reshape(-1, columns).T
        fresh, new, panel = np.empty_like(squares), np.full_like(known, FINE), np.zeros((PANEL, known.shape[1]))
        if start and flags & 2:
            factors = innovations(gram, RIDGES[matrices > 1])
        state = np.zeros(shape, np.int64)
        energy, product, power_here = (np.zeros(shape) for _ in range(3))
        seen = weight = np.array(-columns - SUM_WEIGHT if flags & 8 else ROW_WEIGHT)
        for column in range(columns):
            first = column // PANEL * PANEL
            mean = panel[column - first]
            if factors is not None:
                if column == first:
                    panel = factors[first : first + PANEL, : first + 1] @ new[: first + 1]
                    mean = panel[0]
                mean = mean + factors[column, first + 1 : column + 1] @ new[first + 1 : column + 1]
            plain = mean = within(mean.reshape(shape) / (FINE * UNIT))
            if partner is not None:
                z = partner[:, start:stop, column].astype(np.float64)
                slopes = (product + PARTNER_WEIGHT * power * slope) / (power_here + PARTNER_WEIGHT * power)
                mean = within(mean + (slopes + tilt[:, column, None]) * z)
            base = np.floor(mean + 0.5)
            phase = ((mean - base + 0.5) * PHASES).astype(np.int64)
            scale = expected[:, column, None] * spread[:, start:stop, column]
            level = quarter_octaves(scale * ((energy + weight) / seen))
            context = ((state & 1) * CLASSES + level) * PHASES + phase
            whole = base.astype(np.int64).ravel()
            now = known[column + 1].astype(np.int64)
            now = ((coder.code(context.ravel(), (now - whole + 128) & 255) + whole) & 255) - 128
            known[column + 1] = now
            if transitions:
                state = table[state, now.reshape(shape) & 1]
            x = known[column + 1].reshape(shape)
            new[column + 1] = np.rint((x - plain) * FINE).ravel()
            error = np.square(x - mean)
            fresh[:, column] = np.rint(error * UNIT / spread[:, start:stop, column]).sum(1)
            share = expected[:, column, None] / size if flags & 8 else 1.0
            energy += (np.square(x) if flags & 8 else error) * share / scale
            seen = seen + share
            if partner is not None:
                error = x - plain
                tilts[0, :, column] += np.rint((error - slopes * z) * z * UNIT).sum(1)
                tilts[1, :, column] += (z * z * UNIT).sum(1)
                product += (error - tilt[:, column, None] * z) * z
                power_here += z * z
        if partner is not None:
            power = power_here.sum() / power_here.size / columns + 1e-3
            slope = np.rint(product * UNIT).sum(1, keepdims=True) / ((power_here.sum(1, keepdims=True) + 1.0) * UNIT)
            tilt = tilts[0] / (tilts[1] + TILT_WEIGHT * UNIT * power)
        codes[:, start:stop] = known[1:].T.reshape(*shape, columns)
        if flags & 2 and stop < rows:
            for first in range(0, known.shape[1], EXACT_ROWS):
                some = known[:, first : first + EXACT_ROWS].astype(np.float32)
                gram = gram + some @ some.T
            # What was coded without the present regression tells less.
            squares, past = np.floor(squares / 4), past / 4
        squares, past = squares + fresh, past + shape[1]
        mean = squares.sum(1, keepdims=True) / (columns * past) + 1.0
        expected = (squares + mean * COLUMN_WEIGHT) / (past + COLUMN_WEIGHT)
        expected = expected * (size / mean if flags & 8 else 1 / UNIT)
