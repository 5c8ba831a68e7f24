"""Files are whole or absent; streams are cut into shards exactly; manifests notice every change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgolf.data.writer import ShardWriter, write_shard
from pgolf.runtime.shards import load_shard


@settings(max_examples=25, deadline=None)  # every shard is on the disk before the next one
@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 30))
def test_shards_joined_are_the_stream(tmp_path_factory, lengths, shard_tokens):
    folder = tmp_path_factory.mktemp("writer")
    stream = np.arange(sum(lengths), dtype=np.uint16)
    writer = ShardWriter(folder, "train", shard_tokens)
    for start, length in zip(np.cumsum([0, *lengths]), lengths, strict=False):
        writer.add(stream[start : start + length])
    writer.flush()
    assert sorted(folder.iterdir()) == writer.paths
    shards = [load_shard(path, 65536) for path in writer.paths]
    assert writer.tokens == len(stream)
    assert [len(shard) for shard in shards[:-1]] == [shard_tokens] * (len(shards) - 1)
    assert np.concatenate([np.zeros(0, np.uint16), *shards]).tolist() == stream.tolist()


@pytest.mark.parametrize("tokens", [[], [65536], [-1, 4]])
def test_ids_that_do_not_fit_are_refused(tmp_path, tokens):
    with pytest.raises(ValueError, match="wanted at least one and ids from 0 to 65535"):
        write_shard(tmp_path / "a.bin", np.array(tokens))
