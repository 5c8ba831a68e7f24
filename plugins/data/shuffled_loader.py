"""Shuffled sequences: each rank visits the windows of its own shards in random order.

    rank r owns shards r, r + R, ...        random numbers: PCG64(r)
    a shard starts anew:  phase uniform in 0 .. min(T-1, N-T-1), its (N-1-phase) // T windows in random order
    each sequence:        a shard with probability ~ its windows left, then its last window

When all windows are used every shard starts anew. The order depends on neither seed nor clock, so all seeds see the same data.

Source: openai/parameter-golf PR #1394.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.shards import load_own_shards

if TYPE_CHECKING:
    from pathlib import Path

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="shuffled_loader",
    summary="Each rank visits the windows of its own shards in random order.",
    source="openai/parameter-golf#1394",
    family="data",
    effect="neutral against coprime_loader",
)


class ShuffledLoader:
    """Training batches of one rank; `open` starts from the first one, also when called again."""

    def open(self, pattern: Path, rank: int, world_size: int, vocab_size: int, ledger: Ledger) -> None:
        """Check this rank's shards; ValueError where there are fewer shards than ranks."""
        self.shards = load_own_shards(pattern, rank, world_size, vocab_size)
        self.random = np.random.Generator(np.random.PCG64(rank))
        self.ledger = ledger
        self.seq_len = 0
        self.starts: list[list[int]] = []

    def shuffle(self, shard: np.ndarray) -> list[int]:
        """Starts of a shard's windows, in random order."""
        most = min(self.seq_len - 1, len(shard) - self.seq_len - 1)
        phase = self.random.integers(most + 1) if most > 0 else 0
        return [
            phase + self.seq_len * place for place in self.random.permutation((len(shard) - 1 - phase) // self.seq_len)
        ]

    def take(self) -> np.ndarray:
        """T + 1 tokens of the next window."""
        if not any(self.starts):
            self.starts = [self.shuffle(shard) for shard in self.shards]
        left = np.array([len(starts) for starts in self.starts])
        if not left.any():
            raise ValueError(f"none of {len(self.shards)} shards holds a sequence of {self.seq_len} tokens")
        chosen = self.random.choice(len(left), p=left / left.sum())
        start = self.starts[chosen].pop()
        return self.shards[chosen][start : start + self.seq_len + 1]

    def next(self, tokens: int, seq_len: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets (tokens/seq_len, seq_len), int64 on the CPU; another `seq_len` starts all shards anew."""
        if seq_len != self.seq_len:
            self.seq_len = seq_len
            self.starts = []
        rows = torch.from_numpy(np.stack([self.take() for _ in range(tokens // seq_len)]).astype(int))
        self.ledger.count("shuffled_loader", "batches")
        return rows[:, :-1].contiguous(), rows[:, 1:].contiguous()


@hookimpl
def token_loader(settings: SettingsView) -> Component:
    """In place of the sequential one."""
    return Component(ShuffledLoader)
