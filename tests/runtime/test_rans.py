"""Streams come back, are as short as their entropy, and a plain scalar decoder reads them too."""

import zlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pgolf.runtime.rans import LANES, LOW, PRECISION, AdaptiveTables, RansDecoder, RansEncoder


def tables(contexts=3):
    return AdaptiveTables(np.full((contexts, 256), 5, np.int64))


def calls_of(sizes, seed, top=256):
    generator = np.random.default_rng(seed)
    return [(generator.integers(0, 3, size), generator.integers(0, top, size)) for size in sizes]


def encode(calls, begin=tables):
    encoder = RansEncoder(begin())
    for context, symbols in calls:
        assert encoder.code(context, symbols) is symbols
    return encoder.finish()


def decode(stream, calls, begin=tables):
    decoder = RansDecoder(begin(), *stream)
    found = [decoder.code(context, np.zeros_like(context)) for context, _ in calls]
    assert decoder.read == len(decoder.words) and (decoder.states == LOW).all()
    return found


def one_by_one(stream, calls):
    """The definition, symbol by symbol, with whole numbers of Python; tables as in the module."""
    planes = np.frombuffer(stream[0], np.uint8).reshape(8, LANES)
    states = [int.from_bytes(planes[:, lane].tobytes(), "little") for lane in range(LANES)]
    words = [int(word) for word in np.frombuffer(stream[1], "<u4")]
    model, found = tables(), []
    for context, _ in calls:
        symbols = []
        for place, row in enumerate(context):
            frequency = [int(each) for each in model.frequency.reshape(-1, 256)[row]]
            state, lane = states[place % LANES], place % LANES
            slot, symbol = state % (1 << PRECISION), 0
            while slot >= frequency[symbol]:
                slot, symbol = slot - frequency[symbol], symbol + 1
            state = frequency[symbol] * (state >> PRECISION) + slot
            if state < LOW:
                state = (state << 32) + words.pop(0)
            states[lane] = state
            symbols.append(symbol)
        model.learn(np.array([256 * row + symbol for row, symbol in zip(context, symbols, strict=True)], np.int64))
        found.append(symbols)
    assert not words and set(states) == {LOW}
    return found


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3 * LANES), max_size=6), st.integers(0, 1000), st.integers(1, 256))
def test_symbols_come_back(sizes, seed, top):
    calls = calls_of(sizes, seed, top)
    stream = encode(calls)
    assert stream == encode(calls)
    for (_, symbols), found in zip(calls, decode(stream, calls), strict=True):
        assert np.array_equal(symbols, found)


def test_a_plain_decoder_reads_the_same():
    calls = calls_of([700, 0, 1, LANES, 30], 7)
    assert [symbols.tolist() for _, symbols in calls] == one_by_one(encode(calls), calls)


def test_a_stream_is_as_short_as_its_entropy():
    generator = np.random.default_rng(0)
    share = 0.5 ** np.arange(1, 9)
    share[-1] *= 2
    calls = [(np.zeros(2000, np.int64), generator.choice(8, 2000, p=share)) for _ in range(100)]
    bits = -(share * np.log2(share)).sum() * 200_000
    states, words = encode(calls)
    size = len(zlib.compress(states, 9)) + len(words)
    assert bits / 8 < size < 1.003 * bits / 8 + 6 * LANES
    encoder = RansEncoder(tables())
    for context, symbols in calls:
        encoder.code(context, symbols)
    # What the first states are tells nothing.
    assert 3 * LANES < size - encoder.bits / 8 / 65536 < 4 * LANES


def test_frequencies_are_whole_and_complete():
    counts = np.full((2, 256), 1, np.int64)
    counts[1, 7] = 10**12
    frequency = AdaptiveTables(counts).frequency.reshape(2, 256)
    assert frequency.min() >= 1 and (frequency.sum(1, dtype=np.int64) == 1 << PRECISION).all()


def test_nothing_but_symbols_of_probability_one_costs_next_to_nothing():
    calls = [(np.zeros(5000, np.int64), np.full(5000, 9))] * 20
    states, words = encode(calls)
    assert len(states) == 8 * LANES and len(words) < 4500


def damaged_streams():
    calls = calls_of([4 * LANES, 100], 3)
    stream = encode(calls)
    generator = np.random.default_rng(1)
    for at in generator.integers(0, len(stream[1]), 40):
        changed = bytearray(stream[1])
        changed[at] ^= 1 << int(generator.integers(8))
        yield calls, [stream[0], bytes(changed)]
    yield calls, [stream[0], stream[1][:-4]]
    yield calls, [stream[0], stream[1] + bytes(4)]
    yield calls, [stream[0], stream[1][:-1]]


def test_damage_is_refused_or_changes_symbols():
    """The states end where they began only by chance; a checksum stands behind that."""
    for calls, stream in damaged_streams():
        try:
            found = decode(stream, calls)
        except (ValueError, AssertionError):
            continue
        assert any(not np.array_equal(symbols, other) for (_, symbols), other in zip(calls, found, strict=True))
