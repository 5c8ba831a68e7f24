"""Rows of a stream are found again by their tokens."""

import numpy as np

from pgolf.probe.inside.births import RUN, Places, longest_first, run_keys
from pgolf.probe.piece_file import make_pieces
from pgolf.probe.text_streams import make_stream

STREAM = make_stream(make_pieces(320), 600, 1).tokens


def test_rows_and_what_is_not_of_the_stream():
    places = Places(STREAM)
    rows = np.stack([STREAM[100:164], STREAM[300:364]])
    assert np.array_equal(places.find(rows), np.stack([np.arange(100, 164), np.arange(300, 364)]))
    other = np.full(64, 319)
    assert (places.find(other) == -1).all()
    padded = np.concatenate([STREAM[50:80], np.zeros(20, np.int64)])
    found = places.find(padded)
    assert np.array_equal(found[:30], np.arange(50, 80)) and (found[30:] == -1).all()


def test_a_run_by_chance_where_two_rows_meet():
    """The last token of one row and the first four of the next are a run of the stream."""
    places = Places(STREAM)
    first, second = STREAM[100:130].copy(), STREAM[301:330]
    first[-1] = STREAM[300]
    stream = np.concatenate([first, second])
    assert np.array_equal(places.find(stream), [*range(100, 129), *range(300, 330)])
    starts = np.array([100, 101, 102, 103, 400, 200, 201, 202, 203])
    assert longest_first(starts, 13).tolist() == [*range(100, 108), *range(203, 208)]


def test_single_tokens_follow_the_last_that_were_found():
    places = Places(STREAM)
    places.find(STREAM[10:40])
    assert [int(places.find(STREAM[at : at + 1])[0]) for at in range(40, 60)] == list(range(40, 60))


def test_keys_of_short_rows():
    assert len(run_keys(STREAM[: RUN - 1])) == 0 and len(run_keys(STREAM[:RUN])) == 1
    assert Places(STREAM).find(np.zeros((0,), np.int64)).size == 0
