"""The sequential loader against the public baseline's batches."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pgolf.data.writer import write_shard
from pgolf.runtime.ledger import Ledger
from pgolf_plugins.data.sequential_loader import SequentialLoader

VECTORS = Path(__file__).parents[1] / "vectors" / "pipeline"


def opened(folder, rank, world_size, vocab_size=65536):
    loader = SequentialLoader()
    loader.open(f"{folder}/fineweb_train_*.bin", rank, world_size, vocab_size, Ledger())
    return loader


def write_inputs(folder, golden):
    for key in golden.files:
        if key.startswith("in/"):
            write_shard(folder / f"{key.removeprefix('in/')}.bin", golden[key])


@pytest.mark.parametrize(("world_size", "tokens", "seq_len", "batches"), [(2, 32, 16, 7), (8, 64, 8, 6)])
def test_batches_equal_the_baselines(tmp_path, world_size, tokens, seq_len, batches):
    golden = np.load(VECTORS / f"D1_sequential_ws{world_size}.npz")
    write_inputs(tmp_path, golden)
    for rank in range(world_size):
        loader = opened(tmp_path, rank, world_size)
        for batch in range(batches):
            x, y = loader.next(tokens, seq_len)
            assert x.dtype == y.dtype == torch.int64
            assert np.array_equal(x.numpy(), golden[f"out/x_rank{rank}"][batch])
            assert np.array_equal(y.numpy(), golden[f"out/y_rank{rank}"][batch])
        assert loader.ledger.receipt("sequential_loader") == f"{batches} batches"


def test_it_wraps_more_than_once_within_a_batch(tmp_path):
    write_shard(tmp_path / "fineweb_train_000000.bin", np.arange(3))
    write_shard(tmp_path / "fineweb_train_000001.bin", np.arange(3, 5))
    x, y = opened(tmp_path, 0, 1).next(12, 4)
    stream = torch.arange(13) % 5
    assert torch.equal(x, stream[:-1].view(3, 4))
    assert torch.equal(y, stream[1:].view(3, 4))


def test_opening_again_starts_again(tmp_path):
    write_shard(tmp_path / "fineweb_train_000000.bin", np.arange(50))
    loader = opened(tmp_path, 0, 1)
    first = loader.next(8, 4)
    loader.next(8, 4)
    loader.open(f"{tmp_path}/fineweb_train_*.bin", 0, 1, 65536, Ledger())
    assert torch.equal(loader.next(8, 4)[0], first[0])


def test_a_later_shard_with_a_broken_header_is_refused_at_the_start(tmp_path):
    write_shard(tmp_path / "fineweb_train_000000.bin", np.arange(50))
    write_shard(tmp_path / "fineweb_train_000001.bin", np.arange(50))
    with (tmp_path / "fineweb_train_000001.bin").open("ab") as file:
        file.write(b"x")
    with pytest.raises(
        ValueError, match=r"fineweb_train_000001\.bin: 1125 bytes and header \[20240520, 1, 50\], wanted 1024 \+ 2n"
    ):
        opened(tmp_path, 0, 1)


def test_ids_of_a_later_shard_are_checked_when_it_is_reached(tmp_path):
    write_shard(tmp_path / "fineweb_train_000000.bin", np.arange(9))
    write_shard(tmp_path / "fineweb_train_000001.bin", np.array([1, 2, 60]))
    loader = opened(tmp_path, 0, 1, vocab_size=50)
    loader.next(8, 8)
    with pytest.raises(ValueError, match="token 2 is 60, wanted an id below 50"):
        loader.next(8, 8)
