"""Sequential token stream: every micro-batch is the next stretch of the shards, in file order, for ever.

    span   = the next R*(n+1) tokens          R ranks, n tokens per rank and micro-batch
    rank r : t = span[r(n+1) : (r+1)(n+1)],   x = t[:-1], y = t[1:], reshaped to (n/T, T)

The last token of a rank's span is only ever a target; the next call starts after it. Sequences ignore document
boundaries. The order depends on neither seed nor clock, so all seeds see the same data.

Source: openai/parameter-golf, train_gpt.py at the repository root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.shards import load_shard, shard_files, shard_length

if TYPE_CHECKING:
    from pathlib import Path

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="sequential_loader",
    summary="Reads the training shards in file order and wraps for ever.",
    source="openai/parameter-golf, train_gpt.py (baseline)",
    family="data",
)


class SequentialLoader:
    """Training batches of one rank; `open` starts from the first token, also when called again."""

    def open(self, pattern: Path, rank: int, world_size: int, vocab_size: int, ledger: Ledger) -> None:
        """Check every shard's header and length; ids are checked as each shard is loaded."""
        self.files = shard_files(pattern)
        for path in self.files:
            shard_length(path)
        self.rank = rank
        self.world_size = world_size
        self.vocab_size = vocab_size
        self.ledger = ledger
        self.tokens = load_shard(self.files[0], vocab_size)

    def take(self, count: int) -> np.ndarray:
        """The next `count` token ids (count,) of the stream."""
        parts = []
        while count > 0:
            if not len(self.tokens):
                self.files.append(self.files.pop(0))
                self.tokens = load_shard(self.files[0], self.vocab_size)
            parts.append(self.tokens[:count])
            self.tokens = self.tokens[count:]
            count -= len(parts[-1])
        return np.concatenate(parts)

    def next(self, tokens: int, seq_len: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets (tokens/seq_len, seq_len), int64 on the CPU; every rank advances by the same amount."""
        span = self.take(self.world_size * (tokens + 1)).reshape(self.world_size, -1)[self.rank]
        span = torch.from_numpy(span.astype(int))
        self.ledger.count("sequential_loader", "batches")
        return span[:-1].reshape(-1, seq_len), span[1:].reshape(-1, seq_len)


@hookimpl
def token_loader(settings: SettingsView) -> Component:
    """The baseline's loader."""
    return Component(SequentialLoader)
