"""What the model finds in codes, and that encoder and decoder see the same."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgolf.runtime.code_contexts import (
    CHOICES,
    UNIT,
    first_counts,
    from_quarter_octaves,
    model_codes,
    quarter_octaves,
    regression,
    row_blocks,
)
from pgolf.runtime.rans import AdaptiveTables, Estimator, RansDecoder, RansEncoder

NO_STEPS = np.zeros((1, 1, 1), np.int8)
FOUR_STATES = ((0, 2), (2, 0), (1, 3), (3, 1))


def sizes_of(codes):
    return quarter_octaves(np.square(codes.astype(float)).mean((1, 2)))


def begin(transitions=()):
    return AdaptiveTables(first_counts(2 if transitions else 1))


def round_trip(codes, steps=NO_STEPS, partner=None, flags=0, transitions=()):
    """What the decoder makes of it."""
    encoder, sizes = RansEncoder(begin(transitions)), sizes_of(codes)
    seen = codes.copy()
    model_codes(encoder, seen, sizes, steps, 0, partner, flags, transitions)
    assert np.array_equal(seen, codes)
    decoder, found = RansDecoder(begin(transitions), *encoder.finish()), np.zeros_like(codes)
    model_codes(decoder, found, sizes, steps, 0, partner, flags, transitions)
    decoder.finish()
    return found


def cost(codes, partner=None, flags=0, steps=NO_STEPS, transitions=(), low=0):
    """Bits a code."""
    estimator = Estimator(begin(transitions))
    model_codes(estimator, codes.copy(), sizes_of(codes), steps, low, partner, flags, transitions)
    return estimator.bits / 65536 / codes.size


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
    st.integers(0, 31),
)
def test_codes_come_back(matrices, rows, columns, top, seed, flags):
    generator = np.random.default_rng(seed)
    codes = generator.integers(-top - 1, top + 1, (matrices, rows, columns)).astype(np.int8)
    partner = generator.integers(-128, 128, codes.shape).astype(np.int8) if seed % 2 else None
    steps = generator.integers(-128, 128, (matrices, rows, 1)).astype(np.int8)
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
    assert cost(columns) < plain - 0.2 and cost(rows, flags=16) < plain - 0.2


def test_rows_whose_steps_say_their_size():
    steps = np.linspace(-100, 100, 256).astype(np.int8)[None, :, None]
    codes = whole(normal((1, 256, 32), 4.0) * 2.0 ** (-steps / 64.0))
    assert cost(codes, steps=steps, low=4) < cost(codes) - 0.05


def test_regression_finds_what_columns_have_in_common():
    factors = normal((1, 1024, 2)) @ normal((1, 2, 64), 2.0, 1)
    codes = whole(factors + normal((1, 1024, 64), 2.0, 2))
    assert cost(codes, flags=2 + 8) < cost(codes) - 0.5


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


def test_weights_are_those_of_least_squares():
    past = np.rint(normal((400, 6), 5.0))
    past[:, 4] += past[:, 1] - 2 * past[:, 3]
    known = np.concatenate([np.ones((400, 1)), past], 1)
    found = regression(known.T @ known, 0.0)
    for column in range(6):
        wanted = np.linalg.lstsq(known[:, : column + 1], past[:, column], rcond=None)[0]
        assert np.allclose(found[: column + 1, column] / UNIT, wanted, atol=2 / UNIT)
        assert not found[column + 1 :, column].any()


def test_blocks_cover_all_rows_in_order():
    for rows in itertools.chain(range(1, 70), (512, 8192)):
        blocks = list(row_blocks(rows))
        assert blocks[0][0] == 0 and blocks[-1][1] == rows
        assert all(stop == start for (_, stop), (start, _) in itertools.pairwise(blocks))
        assert all(start < stop for start, stop in blocks) and len(blocks) < 20


def test_quarter_octaves_are_there_and_back():
    octaves = np.arange(96)
    assert np.array_equal(quarter_octaves(from_quarter_octaves(octaves)), octaves)
    assert quarter_octaves(np.array([0.0, 1e-30, 1e30])).tolist() == [0, 0, 95]
    assert quarter_octaves(np.array(1.0)) == 24


def test_first_counts_are_positive_and_about_normal():
    counts = first_counts(1)
    assert counts.shape == (96 * 4, 256) and counts.min() >= 1
    share = counts[(24 + 12) * 4 + 2] / counts[(24 + 12) * 4 + 2].sum()
    near = share[118:139] / share[118:139].sum()
    assert (near * np.arange(-10.0, 11) ** 2).sum() == pytest.approx(8 * 1.1, rel=0.15)
    assert set(CHOICES) == {1, 2, 4, 8, 16}
