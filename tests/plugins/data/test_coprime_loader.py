"""The coprime loader against the public script's windows."""

import itertools
from pathlib import Path

import pytest
import torch
from loaders import opened, write_shards
from pipeline_vectors import load_case

from pgolf_plugins.data.coprime_loader import CoprimeLoader


@pytest.mark.parametrize("name", ["D3_coprime_ws2", "D3_coprime_ws8"])
def test_windows_are_those_of_the_public_script(tmp_path, monkeypatch, name):
    case = load_case(name)
    write_shards(tmp_path / "data", case.inputs)
    monkeypatch.chdir(tmp_path)
    ranks, seq_len = case.params["ws"], case.params["seq_len"]
    tokens = case.params["global_tokens"] // ranks
    for rank in range(ranks):
        loader = opened(CoprimeLoader(True), Path("data/fineweb_train_*.bin"), rank, ranks)
        for batch in range(case.params["batches"]):
            x, y = loader.next(tokens, seq_len)
            assert x.dtype == torch.int64 and torch.equal(x[:, 1:], y[:, :-1])
            assert torch.equal(x[:, 0], case.outputs[f"first_token_rank{rank}"][batch].long())
            if rank == 0:
                assert torch.equal(x, case.outputs["x_rank0"][batch].long())


def test_the_folder_decides_only_with_the_quirk(tmp_path):
    shards = {f"fineweb_train_00000{n}": torch.arange(1000 * n, 1000 * n + 500) for n in range(3)}
    patterns = [write_shards(tmp_path / name, shards) for name in ("here", "there")]
    for quirk in (False, True):
        one, other = (opened(CoprimeLoader(quirk), pattern).next(80, 8)[0] for pattern in patterns)
        assert torch.equal(one, other) != quirk


def test_every_window_of_a_shard_is_visited_once_in_a_round(tmp_path):
    loader = opened(CoprimeLoader(False), write_shards(tmp_path, {"fineweb_train_000000": torch.arange(307)}))
    loader.next(8, 8)
    for _ in range(3):
        loader.left[0] = 0
        first = loader.visit(0)
        _, count, _, stride = loader.cursors[0]
        starts = [first, *(loader.visit(0) for _ in range(count - 1))]
        assert len(set(starts)) == count > 30 and loader.left[0] == 0
        assert {(there - here) // 8 % count for here, there in itertools.pairwise(starts)} == {stride % count}


def test_a_shard_of_one_window_and_one_of_none(tmp_path):
    shards = {"fineweb_train_000000": torch.arange(9), "fineweb_train_000001": torch.arange(5)}
    loader = opened(CoprimeLoader(False), write_shards(tmp_path, shards))
    assert torch.equal(loader.next(24, 8)[0], torch.arange(8).expand(3, 8))


def test_shards_shorter_than_a_sequence_are_refused(tmp_path):
    pattern = write_shards(tmp_path, {"fineweb_train_000000": torch.arange(8)})
    with pytest.raises(ValueError, match="none of 1 shards holds a sequence of 8 tokens"):
        opened(CoprimeLoader(False), pattern).next(8, 8)
