"""The model of matrices of int8 codes: how large and where each code is expected, from those before it.

Matrices of one group (matrices, rows, columns) are coded together: blocks of rows, in these the columns in order, all rows of a
column at once. For code x of row r and column c:

    mu      = b_c + sum_k<c w_kc x_rk  +  a_r z_rc        regression on the row so far, and on the code z of a partner matrix
    sigma^2 = v_c p_r (E_r + n) / (N_r + n)               of its column, of its step, and of its row so far
    context = (quantizer, quarter octaves of sigma^2, mu - floor(mu + 1/2) in quarters)       symbol = x - round(mu) mod 256

w is the regression of all earlier blocks with a ridge, by elimination, in units of 2^-10; v the squares that remain of each
column.
Every sum is of integers that doubles hold exactly, and the rest is done element by element with + - * / and no library
function: encoder and decoder agree on every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT = 1024
PANEL = 32
WIDEST = 1024
CLASSES = 96
PHASES = 4
COLUMN_WEIGHT = 48.0
PARTNER_WEIGHT = 100.0
TILT_WEIGHT = 500.0
# Flags in the order in which they are tried: transposed, regression, a small ridge, spread by steps, a row's own size soon.
CHOICES = (1, 2, 8, 4, 16)


def quarter_octaves(value: np.ndarray) -> np.ndarray:
    """About 4 log2(value) + 24 in 0 .. 95, from the bits of its float32."""
    octaves = np.asarray(value, np.float32).view(np.int32).astype(np.int64) - (121 << 23) >> 21
    # `clip` of integers asks for their limits in Python, which takes as long as all the rest.
    within: np.ndarray = np.minimum(np.maximum(octaves, 0), CLASSES - 1)
    return within


def from_quarter_octaves(octaves: np.ndarray) -> np.ndarray:
    """The least value that `quarter_octaves` takes for each."""
    return ((octaves.astype(np.int32) << 21) + (121 << 23)).view(np.float32).astype(np.float64)


def first_counts(quantizers: int) -> np.ndarray:
    """(contexts, 256): about normal, (1 + t^2 / 32)^-16 for t deviations from the phase's middle."""
    context = np.arange(CLASSES * PHASES)
    square = from_quarter_octaves(context // PHASES) * 1.1 + 0.08
    away = np.arange(256) - 128 - ((context % PHASES + 0.5) / PHASES - 0.5)[:, None]
    weight = 1 / (1 + away * away / (32 * square[:, None]))
    for _ in range(4):
        weight *= weight
    weight *= 20000 / np.sqrt(6.3 * square[:, None])
    return np.tile(1 + np.floor(weight).astype(np.int64), (quantizers, 1))


def row_blocks(rows: int) -> Iterator[tuple[int, int]]:
    """(first, behind the last) of blocks, each a third as long as all before it."""
    start, stop = 0, -(-rows // 64)
    while start < rows:
        yield start, stop
        start, stop = stop, min(rows, stop + -(-stop // 3))


def regression(gram: np.ndarray, ridge: float) -> np.ndarray:
    """(columns + 1, columns): what each column is made of, by the row's 1 and the columns before it, in units of 2^-10.

    Args:
        gram: of rows (1, codes); its corner is their number.
        ridge: in rows of codes as large as all are on average.
    """
    columns = len(gram) - 1
    system = np.concatenate([gram, np.eye(columns + 1)], 1)
    squares = np.einsum("ii->i", system[:, : columns + 1])
    squares[1:] += ridge * squares[1:].sum() / (columns * squares[0]) + 1e-3
    for k in range(columns):
        band = slice(k + 1, columns + 2 + k)
        system[k + 1 :, band] -= (system[k + 1 :, k] / system[k, k])[:, None] * system[k, band]
    weights: np.ndarray = np.rint(np.tril(system[:, columns + 1 :], -1)[1:].T * -UNIT)
    return weights


def model_codes(
    coder: Any,
    codes: np.ndarray,
    energies: np.ndarray,
    steps: np.ndarray,
    low: int,
    partner: np.ndarray | None,
    flags: int,
    transitions: tuple[tuple[int, int], ...] = (),
) -> None:
    """Code `codes` with `coder`, in place.

    Args:
        coder: `code(contexts, symbols)` gives the symbols, those it is given or those it reads.
        codes: int8 (matrices, rows, columns); read by an encoder, written by a decoder.
        energies: (matrices,) what sigma^2 is expected to be before anything is known.
        steps: int8, the high bits of float16 steps, by broadcasting; p is 1 / step^2, linear between powers of two.
        low: how many low bits they lack.
        partner: z, int8, shaped like `codes`.
        flags: of `CHOICES`; the caller transposes.
        transitions: next state of a trellis by state and by parity of the code, from 0 in every row; bit 0 is its quantizer.
    """
    matrices, _, columns = codes.shape
    table = np.array(transitions)
    row_weight = 12.0 if flags & 16 else 100.0
    # float16 is a float32 without its lowest 13 bits, and twice the bits less those of 1 are about the square's.
    bits = (127 << 23) - (steps.astype(np.int32) << 14 + low)
    spread = np.broadcast_to(bits.astype(np.int32).view(np.float32).astype(np.float64).clip(2**-9, 2**9), codes.shape)
    expected = from_quarter_octaves(energies)[:, None, None] + np.zeros((1, 1, columns))
    if flags & 2 and columns > WIDEST:
        raise ValueError(f"a regression over {columns} columns: wanted at most {WIDEST}")
    squares, rows, gram = np.zeros((matrices, 1, columns)), 0.0, np.zeros(())
    tilts = np.zeros((2, matrices, 1, columns))
    tilt = np.zeros((matrices, 1, columns))
    slope, power = np.zeros((matrices, 1)), 1.0
    moves = flags & 2 or partner is not None
    for start, stop in row_blocks(codes.shape[1]):
        shape = matrices, stop - start
        x = codes[:, start:stop].astype(np.float64).reshape(-1, columns)
        weights = regression(gram, 1000.0 if flags & 8 else 10000.0) if start and flags & 2 else None
        state = np.zeros(shape, np.int64)
        fresh = np.empty_like(squares)
        energy, product, power_here = (np.zeros(shape) for _ in range(3))
        for first in range(0, columns, PANEL):
            panel = np.zeros((len(x), PANEL))
            if weights is not None:
                panel = x[:, :first] @ weights[1 : first + 1, first : first + PANEL] + weights[0, first : first + PANEL]
            for column in range(first, min(first + PANEL, columns)):
                mean = plain = panel[:, column - first].reshape(shape)
                if weights is not None:
                    more = x[:, first:column] @ weights[first + 1 : column + 1, column]
                    mean = plain = (mean + more.reshape(shape)) / UNIT
                if partner is not None:
                    z = partner[:, start:stop, column].astype(np.float64)
                    slopes = (product + PARTNER_WEIGHT * power * slope) / (power_here + PARTNER_WEIGHT * power)
                    mean = mean + (slopes + tilt[:, :, column]) * z
                base, phase = mean, np.full_like(mean, PHASES // 2, np.int64)
                if moves:
                    mean = np.minimum(np.maximum(mean, -128.0), 127.0)
                    base = np.floor(mean + 0.5)
                    phase = np.floor((mean - base + 0.5) * PHASES).astype(np.int64)
                scale = expected[:, :, column] * spread[:, start:stop, column]
                sigma = scale * ((energy + row_weight) / (column + row_weight))
                context = (state & 1) * (CLASSES * PHASES) + quarter_octaves(sigma) * PHASES + phase
                whole = base.astype(np.int64).ravel()
                now = x[:, column].astype(np.int64)
                now = ((coder.code(context.ravel(), (now - whole + 128) & 255) + whole) & 255) - 128
                x[:, column] = now
                codes[:, start:stop, column] = now.reshape(shape)
                if transitions:
                    state = table[state, codes[:, start:stop, column] & 1]
                error = np.square(x[:, column].reshape(shape) - mean)
                energy += error / scale
                fresh[:, 0, column] = np.rint(error * 1024 / spread[:, start:stop, column]).sum(1)
                if partner is not None:
                    error = x[:, column].reshape(shape) - plain
                    tilts[0, :, 0, column] += np.rint((error - slopes * z) * z * UNIT).sum(1)
                    tilts[1, :, 0, column] += (z * z * UNIT).sum(1)
                    product += (error - tilt[:, :, column] * z) * z
                    power_here += z * z
        if partner is not None:
            power = power_here.sum() / power_here.size / columns
            slope = np.rint(product * UNIT).sum(1, keepdims=True) / ((power_here.sum(1, keepdims=True) + 1.0) * UNIT)
            tilt = tilts[0] / (tilts[1] + TILT_WEIGHT * UNIT * power)
        # What was coded without the present regression tells less.
        squares = (np.floor(squares / 4) if flags & 2 else squares) + fresh
        rows = (rows / 4 if flags & 2 else rows) + shape[1]
        mean = squares.sum(2, keepdims=True) / (columns * rows)
        expected = (squares + mean * COLUMN_WEIGHT) / ((rows + COLUMN_WEIGHT) * 1024) + 1e-3
        if flags & 2:
            known = np.concatenate([np.ones((len(x), 1)), x], 1)
            gram = gram + known.T @ known
