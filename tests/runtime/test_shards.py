"""Shard reading: the published format, and every way in which a file can be damaged."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pgolf.data.writer import write_shard
from pgolf.runtime.shards import load_shard, shard_files, shard_length, validation_tokens

VECTORS = Path(__file__).parents[1] / "vectors" / "pipeline"


def shard_bytes(header, ids):
    words = np.zeros(256, dtype="<i4")
    words[: len(header)] = header
    return words.tobytes() + np.array(ids, dtype="<u2").tobytes()


def test_file_equals_the_published_format(tmp_path):
    golden = np.load(VECTORS / "D1_shard_file.npz")
    write_shard(tmp_path / "a.bin", golden["in/tokens"])
    assert (tmp_path / "a.bin").read_bytes() == golden["out/file"].tobytes()
    assert load_shard(tmp_path / "a.bin", 65536).tolist() == golden["in/tokens"].tolist()


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=50))
def test_what_was_written_is_read(tmp_path_factory, ids):
    path = tmp_path_factory.mktemp("shard") / "a.bin"
    write_shard(path, np.array(ids))
    assert shard_length(path) == len(ids)
    assert load_shard(path, 65536).tolist() == ids


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "0 bytes and header []"),
        (shard_bytes([20240520, 1, 0], [])[:1000], "1000 bytes and header [20240520, 1, 0]"),
        (shard_bytes([20240521, 1, 2], [1, 2]), "1028 bytes and header [20240521, 1, 2]"),
        (shard_bytes([20240520, 2, 2], [1, 2]), "1028 bytes and header [20240520, 2, 2]"),
        (shard_bytes([20240520, 1, 0], []), "1024 bytes and header [20240520, 1, 0]"),
        (shard_bytes([20240520, 1, -3], [1]), "1026 bytes and header [20240520, 1, -3]"),
        (shard_bytes([20240520, 1, 3], [1, 2]), "1028 bytes and header [20240520, 1, 3]"),
        (shard_bytes([20240520, 1, 2], [1, 2, 3]), "1030 bytes and header [20240520, 1, 2]"),
        (shard_bytes([20240520, 1, 2], [1, 2]) + b"x", "1029 bytes and header [20240520, 1, 2]"),
    ],
)
def test_a_damaged_shard_is_refused(tmp_path, content, message):
    path = tmp_path / "fineweb_train_000000.bin"
    path.write_bytes(content)
    with pytest.raises(ValueError) as caught:
        load_shard(path, 100)
    wanted = "wanted 1024 + 2n bytes and header [20240520, 1, n > 0]"
    assert str(caught.value) == f"{path}: {message}, {wanted}"


def test_an_id_beyond_the_vocabulary_is_refused(tmp_path):
    path = tmp_path / "fineweb_train_000000.bin"
    path.write_bytes(shard_bytes([20240520, 1, 4], [1, 99, 100, 7]))
    assert load_shard(path, 101).tolist() == [1, 99, 100, 7]
    with pytest.raises(ValueError) as caught:
        load_shard(path, 100)
    assert str(caught.value) == f"{path}: token 2 is 100, wanted an id below 100"


def test_shards_are_sorted_and_byte_sidecars_left_out(tmp_path):
    for name in ("fineweb_val_000001.bin", "fineweb_val_bytes_000000.bin", "fineweb_val_000000.bin", "other.bin"):
        (tmp_path / name).touch()
    found = shard_files(f"{tmp_path}/fineweb_val_*.bin")
    assert [path.name for path in found] == ["fineweb_val_000000.bin", "fineweb_val_000001.bin"]


def test_no_shard_is_an_error_that_names_the_pattern(tmp_path):
    with pytest.raises(ValueError, match="no shard matches") as caught:
        shard_files(tmp_path / "fineweb_train_*.bin")
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("seq_len", [16, 64, 100, 1024, 1776])
def test_validation_keeps_whole_sequences(tmp_path, seq_len):
    golden = np.load(VECTORS / "D1_val_truncation.npz")
    inputs = [golden[key] for key in golden.files if key.startswith("in/")]
    for index, tokens in enumerate(inputs):
        write_shard(tmp_path / f"fineweb_val_{index:06d}.bin", tokens)
    tokens = validation_tokens(tmp_path / "fineweb_val_*.bin", seq_len, 65536)
    assert len(tokens) == golden[f"out/T{seq_len}"].item()
    assert np.array_equal(tokens.to(torch.int64).numpy(), np.concatenate(inputs)[: len(tokens)])


def test_validation_shorter_than_a_sequence_is_refused(tmp_path):
    write_shard(tmp_path / "fineweb_val_000000.bin", np.arange(16))
    with pytest.raises(ValueError, match="16 tokens, wanted at least 17"):
        validation_tokens(tmp_path / "fineweb_val_*.bin", 16, 100)
