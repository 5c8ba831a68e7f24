"""Streams: runs are unique, documents begin with BOS, shards are read as they were written."""

import numpy as np
import pytest

from pgolf.probe.inside.births import RUN
from pgolf.probe.piece_file import BOS, make_pieces
from pgolf.probe.text_streams import Stream, make_stream, read_shard, runs, text_bytes, write_shard


@pytest.mark.parametrize("size", [32, 320])
def test_no_run_occurs_twice_and_none_is_of_the_other_stream(size):
    pieces = make_pieces(size)
    stream = make_stream(pieces, 1537, 3)
    train = make_stream(pieces, 5000, 4, stream)
    own = [tuple(run) for run in runs(stream.tokens)]
    assert len(set(own)) >= len(own) - 3 and len(stream.tokens) == 1537
    assert len({*own} & {tuple(run) for run in runs(train.tokens)}) <= 3
    pairs = {tuple(pair) for pair in zip(stream.tokens[:-1], stream.tokens[1:], strict=True)}
    assert len(pairs) < 0.9 * 1536  # short runs do repeat
    assert stream.tokens[0] == BOS and len(stream.starts) > 8 and RUN == 5


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
