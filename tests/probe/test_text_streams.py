"""Streams: runs are unique, documents begin with BOS, shards are read as they were written."""

import numpy as np
import pytest

from pgolf.probe.inside.births import RUN
from pgolf.probe.piece_file import BOS, make_pieces
from pgolf.probe.text_streams import Stream, has_repeats, make_stream, read_shard, runs, text_bytes, write_shard


@pytest.mark.parametrize(("size", "count"), [(32, 257), (320, 1537)])
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_no_run_occurs_twice_and_none_is_of_the_other_stream(size, count, seed):
    pieces = make_pieces(size)
    stream = make_stream(pieces, count, seed)
    train = make_stream(pieces, 5000, seed + 1, stream)
    own = [tuple(run) for run in runs(stream.tokens)]
    assert len(set(own)) == len(own) and len(stream.tokens) == count and not has_repeats(train.tokens)
    assert not {*own} & {tuple(run) for run in runs(train.tokens)}
    pairs = {tuple(pair) for pair in zip(stream.tokens[:-1], stream.tokens[1:], strict=True)}
    assert len(pairs) < 0.95 * (count - 1)  # short runs do repeat
    assert stream.tokens[0] == BOS and len(stream.starts) > 1 and RUN == 5
    assert not has_repeats(stream.changed(np.arange(count), np.random.default_rng(seed), pieces).tokens)


def test_a_text_that_cannot_be():
    with pytest.raises(ValueError, match="without a run that occurs twice"):
        make_stream(make_pieces(6), 2000, 1)


def test_changed_keeps_the_starts_and_changes_all_else():
    pieces = make_pieces(320)
    stream = make_stream(pieces, 400, 3)
    every = np.arange(400)
    other = stream.changed(every, np.random.default_rng(0), pieces)
    assert other.starts == stream.starts
    assert (other.tokens != stream.tokens).sum() == 400 - len(stream.starts)


def test_permuted_has_the_same_documents():
    stream = make_stream(make_pieces(320), 900, 3)
    other = stream.permuted(np.random.default_rng(1))
    assert sorted(other.tokens) == sorted(stream.tokens) and other.starts != stream.starts
    assert stream.document(stream.starts[1] + 2) == stream.starts[1]


def test_shards(tmp_path):
    stream = make_stream(make_pieces(320), 300, 3)
    write_shard(tmp_path / "a.bin", stream.tokens)
    assert np.array_equal(read_shard(tmp_path / "a.bin"), stream.tokens)
    assert np.array_equal(read_shard(tmp_path / "a.bin", 10), stream.tokens[:10])
    assert text_bytes(make_pieces(320), Stream(np.array([BOS])).tokens) == 0
