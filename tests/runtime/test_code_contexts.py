"""What the model finds in codes, and that encoder and decoder see the same."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgolf.runtime.code_contexts import (
    CHOICES,
    EXACT_ROWS,
    UNIT,
    first_counts,
    innovations,
    model_codes,
    quarter_octaves,
    row_blocks,
)
from pgolf.runtime.rans import LOW, AdaptiveTables, RansDecoder, RansEncoder

NO_STEPS = np.zeros((1, 1, 1), np.int32)
FOUR_STATES = ((0, 2), (2, 0), (1, 3), (3, 1))


def sizes_of(codes):
    return np.square(codes.astype(float)).mean((1, 2)).tolist()


def begin(transitions=()):
    return AdaptiveTables(first_counts(2 if transitions else 1))


def round_trip(codes, steps=NO_STEPS, partner=None, flags=0, transitions=()):
    """What the decoder makes of it."""
    encoder, sizes = RansEncoder(begin(transitions)), sizes_of(codes)
    seen = codes.copy()
    model_codes(encoder, seen, sizes, steps, partner, flags, transitions)
    assert np.array_equal(seen, codes)
    decoder, found = RansDecoder(begin(transitions), *encoder.finish()), np.zeros_like(codes)
    model_codes(decoder, found, sizes, steps, partner, flags, transitions)
    assert decoder.read == len(decoder.words) and (decoder.states == LOW).all()
    return found


def cost(codes, partner=None, flags=0, steps=NO_STEPS, transitions=()):
    """Bits a code."""
    trial = RansEncoder(begin(transitions))
    model_codes(trial, codes.copy(), sizes_of(codes), steps, partner, flags, transitions)
    return trial.bits / 65536 / codes.size


def normal(shape, scale=3.0, seed=0):
    return np.random.default_rng(seed).normal(0, 1, shape) * scale


def whole(values):
    return np.clip(np.rint(values), -127, 127).astype(np.int8)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 3),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 127),
    st.integers(0, 999),
    st.integers(0, 15),
)
def test_codes_come_back(matrices, rows, columns, top, seed, flags):
    generator = np.random.default_rng(seed)
    codes = generator.integers(-top - 1, top + 1, (matrices, rows, columns)).astype(np.int8)
    partner = generator.integers(-128, 128, codes.shape).astype(np.int8) if seed % 2 else None
    steps = generator.integers(-(2**15), 2**15, (matrices, rows, 1)).astype(np.int32)
    transitions = FOUR_STATES if seed % 3 == 0 else ()
    assert np.array_equal(round_trip(codes, steps, partner, flags, transitions), codes)


@pytest.mark.parametrize("value", [-128, 0, 127])
def test_one_value_comes_back_and_costs_little(value):
    codes = np.full((2, 64, 48), value, np.int8)
    for flags in (0, 2):
        assert np.array_equal(round_trip(codes, flags=flags), codes)
        assert cost(codes, flags=flags) < (2.5 if value else 0.2)


def test_normal_codes_cost_their_entropy():
    codes = whole(normal((4, 256, 256)))
    share = np.bincount(codes.ravel().astype(int) + 128) / codes.size
    share = share[share > 0]
    assert cost(codes) == pytest.approx(-(share * np.log2(share)).sum(), rel=0.006)


def test_columns_and_rows_of_their_own_size():
    scales = np.exp(normal((1, 1, 128), 0.8, 1))
    columns = whole(normal((1, 512, 128), 4.0) * scales)
    rows = np.ascontiguousarray(columns.transpose(0, 2, 1))
    plain = cost(whole(normal(columns.shape, float(np.sqrt((columns.astype(float) ** 2).mean())))))
    assert cost(columns) < plain - 0.2 and cost(rows) < plain - 0.2


def test_rows_whose_steps_say_their_size():
    steps = np.exp2(np.linspace(-1.6, 1.6, 256)).astype(np.float16)[None, :, None]
    codes = whole(normal((1, 256, 32), 4.0) / steps)
    assert cost(codes, steps=steps.view(np.int16).astype(np.int32) - 15360) < cost(codes) - 0.05


def test_rows_whose_sums_of_squares_are_equal():
    """Half the logarithm of 1 + 256 / 24, 1.8 bits of a row, are known; classes of a quarter octave keep half of it."""
    codes = normal((1, 2048, 256))
    codes = whole(codes * 48 / np.sqrt(np.square(codes).sum(2, keepdims=True)))
    gain = 256 * (cost(codes) - cost(codes, flags=8))
    assert 0.8 < gain < 1.8


def test_regression_finds_what_columns_have_in_common():
    factors = normal((1, 1024, 2)) @ normal((1, 2, 64), 2.0, 1)
    codes = whole(factors + normal((1, 1024, 64), 2.0, 2))
    assert cost(codes, flags=2) < cost(codes) - 0.5


def test_the_partner_tells_of_the_code():
    partner = whole(normal((2, 256, 64)))
    codes = whole(0.8 * partner + normal(partner.shape, 1.5, 1))
    assert cost(codes, partner) < cost(codes) - 0.2


def test_the_state_of_a_trellis_tells_of_zeros():
    generator, codes = np.random.default_rng(0), np.zeros((1, 300, 200), np.int8)
    for row in range(300):
        state = 0
        for column in range(200):
            codes[0, row, column] = generator.integers(-1, 2) if state & 1 else generator.integers(0, 2) * 2 - 1
            state = FOUR_STATES[state][codes[0, row, column] & 1]
    assert cost(codes, transitions=FOUR_STATES) < cost(codes) - 0.1
    assert np.array_equal(round_trip(codes, transitions=FOUR_STATES), codes)


def test_a_regression_over_too_many_columns_is_refused():
    """Its memory goes with their square, and a damaged artifact may ask for it."""
    codes = np.zeros((1, 1, 1025), np.int8)
    with pytest.raises(ValueError, match="1025 columns: wanted at most 1024"):
        cost(codes, flags=2)
    assert cost(codes) < 0.1


def test_innovations_are_what_least_squares_leave():
    past = np.rint(normal((400, 6), 5.0))
    past[:, 4] += past[:, 1] - 2 * past[:, 3]
    known = np.concatenate([np.ones((400, 1)), past], 1)
    found = innovations(known.T @ known, 0.0) / UNIT
    assert found.shape == (6, 7) and not np.triu(found, 1).any()
    new = np.ones((400, 7))
    for column in range(6):
        mean = new[:, : column + 1] @ found[column, : column + 1]
        weights = np.linalg.lstsq(known[:, : column + 1], past[:, column], rcond=None)[0]
        assert np.allclose(mean, known[:, : column + 1] @ weights, atol=0.1)
        new[:, column + 1] = past[:, column] - mean


@pytest.mark.parametrize("codes", [np.zeros((300, 5)), np.full((300, 5), 127.0), np.eye(300, 5) * -128])
def test_factors_stay_where_products_are_exact(codes):
    known = np.concatenate([np.ones((300, 1)), codes], 1)
    found = innovations(known.T @ known, 1000.0)
    assert np.isfinite(found).all() and np.abs(found).max() <= 2**20 and (found == np.rint(found)).all()


def test_products_are_exact_in_float32():
    """The worst codes: a block of as many rows as are multiplied at once, all of them -128."""
    some = np.full((3, EXACT_ROWS), -128, np.float32)
    assert EXACT_ROWS * 128**2 <= 2**24 and (some @ some.T == EXACT_ROWS * 128**2).all()


def test_blocks_cover_all_rows_in_order():
    for rows, matrices in itertools.product((*range(1, 70), 512, 8192), (1, 11, 300)):
        blocks = list(row_blocks(rows, matrices))
        assert blocks[0][0] == 0 and blocks[-1][1] == rows
        assert all(stop == start for (_, stop), (start, _) in itertools.pairwise(blocks))
        assert all(start < stop for start, stop in blocks) and len(blocks) < 20
    assert not list(row_blocks(0, 1))


def test_quarter_octaves():
    values = 2.0 ** (np.arange(96) / 4 - 6)
    # Linear between powers of two: the quarters are at 1, 1.25, 1.5 and 1.75.
    assert np.abs(quarter_octaves(values * 1.1) - np.arange(96)).max() <= 1
    assert quarter_octaves(np.array([1.24, 1.26, 1.76, 2.1])).tolist() == [24, 25, 27, 28]
    assert quarter_octaves(np.array([0.0, 1e-30, 1e30])).tolist() == [0, 0, 95]
    assert quarter_octaves(np.array(1.0)) == 24


def test_first_counts_are_positive_and_about_normal():
    counts = first_counts(1)
    assert counts.shape == (96 * 4, 256) and counts.min() >= 1
    share = counts[(24 + 12) * 4 + 2] / counts[(24 + 12) * 4 + 2].sum()
    near = share[118:139] / share[118:139].sum()
    assert (near * np.arange(-10.0, 11) ** 2).sum() == pytest.approx(8 * 1.1, rel=0.15)
    assert set(CHOICES) == {1, 2, 4, 8}
