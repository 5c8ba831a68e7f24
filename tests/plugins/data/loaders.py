"""Opens a loader over the shards of a golden case."""

import pytest
import torch
from pipeline_vectors import load_case

from pgolf.data.writer import write_shard
from pgolf.runtime.ledger import Ledger


def write_shards(folder, shards):
    """`shards` (name -> ids) as files of `folder`; returns the pattern of all."""
    folder.mkdir(exist_ok=True)
    for name, ids in shards.items():
        write_shard(folder / f"{name}.bin", ids.numpy())
    return folder / "fineweb_train_*.bin"


def opened(loader, pattern, rank=0, world_size=1, vocab_size=65536):
    """The loader, started, with a ledger of its own."""
    loader.open(pattern, rank, world_size, vocab_size, Ledger())
    return loader


def check_windows(folder, make, name):
    """Every rank's batches are the golden windows, inputs and targets; opened again, a loader starts again."""
    case = load_case(name)
    pattern = write_shards(folder, case.inputs)
    ranks, seq_len = case.params["ws"], case.params["seq_len"]
    for rank in range(ranks):
        loader = make()
        for _ in range(2):
            opened(loader, pattern, rank, ranks)
            for windows in case.outputs[f"window_rank{rank}"].long():
                x, y = loader.next(len(windows) * seq_len, seq_len)
                assert x.dtype == y.dtype == torch.int64 and x.is_contiguous() and y.is_contiguous()
                assert torch.equal(x, windows[:, :-1]) and torch.equal(y, windows[:, 1:])


def check_too_few_shards(folder, loader):
    """More ranks than shards is one line."""
    pattern = write_shards(folder, {"fineweb_train_000000": torch.arange(50)})
    with pytest.raises(ValueError, match="1 shards for 2 ranks, wanted at least one for each rank"):
        opened(loader, pattern, 1, 2)
