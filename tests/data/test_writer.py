"""Files are whole or absent; streams are cut into shards exactly; manifests notice every change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgolf.data.manifest import damaged_files, describe_files, read_manifest, write_manifest
from pgolf.data.writer import ShardWriter, write_shard
from pgolf.errors import PgolfError
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


def test_a_manifest_notices_missing_shorter_and_changed_files(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    paths = [folder / "a", folder / "b", folder / "c", tmp_path / "d"]
    for path in paths:
        path.write_bytes(b"12345")
    write_manifest(folder, {"kind": "test", "files": describe_files(folder, paths)})
    manifest = read_manifest(folder)
    assert damaged_files(folder, manifest) == []
    paths[0].unlink()
    paths[1].write_bytes(b"1234")
    paths[3].write_bytes(b"12346")
    outside, missing, shorter = damaged_files(folder, manifest)
    assert outside.startswith("../d: SHA-256 ")
    assert missing == "a: missing"
    assert shorter == "b: 4 bytes, wanted 5"


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 99}'])
def test_a_strange_manifest_is_refused(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(PgolfError) as caught:
        read_manifest(tmp_path)
    assert caught.value.code == "PG001"
    assert caught.value.where == str(tmp_path / "manifest.json")
