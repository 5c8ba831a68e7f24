"""The shuffled loader against the public script's windows."""

import pytest
import torch
from loaders import check_too_few_shards, check_windows, opened, write_shards

from pgolf_plugins.data.shuffled_loader import ShuffledLoader


@pytest.mark.parametrize("name", ["D4_shuffled_ws1", "D4_shuffled_ws2"])
def test_windows_are_those_of_the_public_script(tmp_path, name):
    check_windows(tmp_path, ShuffledLoader, name)


def test_every_window_comes_once_before_any_comes_again(tmp_path):
    pattern = write_shards(tmp_path, {f"fineweb_train_00000{n}": torch.arange(100 * n, 100 * n + 61) for n in range(2)})
    loader = opened(ShuffledLoader(), pattern)
    loader.seq_len = 10
    for _ in range(3):
        loader.starts = [loader.shuffle(shard) for shard in loader.shards]
        count = sum(map(len, loader.starts))
        seen = [token for _ in range(count) for token in loader.take()[:-1].tolist()]
        assert len(seen) == len(set(seen)) == 10 * count and not any(loader.starts)


def test_another_length_starts_all_shards_anew(tmp_path):
    pattern = write_shards(tmp_path, {"fineweb_train_000000": torch.arange(200)})
    loader = opened(ShuffledLoader(), pattern)
    loader.next(40, 10)
    x, y = loader.next(40, 20)
    assert x.shape == (2, 20) and torch.equal(x + 1, y)


def test_more_ranks_than_shards_are_refused(tmp_path):
    check_too_few_shards(tmp_path, ShuffledLoader())


def test_shards_shorter_than_a_sequence_are_refused(tmp_path):
    pattern = write_shards(tmp_path, {"fineweb_train_000000": torch.arange(10)})
    with pytest.raises(ValueError, match="none of 1 shards holds a sequence of 10 tokens"):
        opened(ShuffledLoader(), pattern).next(10, 10)
