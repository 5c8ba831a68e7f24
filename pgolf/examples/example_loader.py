"""The first shard again and again; every rank reads its own stretch."""

import torch

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.shards import load_shard, shard_files

PLUGIN = Plugin(
    name="example_loader",
    summary="Trains on one shard.",
    source="pgolf's documentation",
    family="data",
)


class OneShard:
    """`open` starts from the first batch, also when it is called again."""

    def open(self, pattern, rank, world_size, vocab_size, ledger):
        """ValueError for a damaged shard comes from `load_shard`."""
        self.tokens = torch.from_numpy(load_shard(shard_files(pattern)[0], vocab_size).astype("int64"))
        self.rank, self.world_size, self.calls, self.ledger = rank, world_size, 0, ledger

    def next(self, tokens, seq_len):
        """Inputs and targets (tokens/seq_len, seq_len), int64 on the CPU."""
        start = (self.calls * self.world_size + self.rank) * tokens
        places = torch.arange(start, start + tokens + 1) % len(self.tokens)
        self.calls += 1
        self.ledger.count("example_loader", "batches")
        x, y = self.tokens[places[:-1]], self.tokens[places[1:]]
        return x.view(-1, seq_len), y.view(-1, seq_len)


@hookimpl
def token_loader(settings) -> Component:
    """In place of the sequential one."""
    return Component(OneShard)
