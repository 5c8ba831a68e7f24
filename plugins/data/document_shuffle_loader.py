"""Document shuffle: each rank lays the documents of its own shards end to end in random order.

    rank r owns shards r, r + R, ...        random numbers: PCG64(SEED + 1009 r)
    next document:  a shard with probability ~ its documents left, then the first of its random order
    sequences:      windows of T + 1 tokens of that stream, T apart

What stands before the first BOS of a shard is a document too. When all are used every shard is put in order anew.

Source: an experiment on openai/parameter-golf PR #1493 (DOC_SHUFFLE_ENABLED).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.shards import load_own_shards

if TYPE_CHECKING:
    from pathlib import Path

    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="document_shuffle_loader",
    summary="Each rank lays the documents of its own shards end to end in random order.",
    source="Itssshikhar/parameter-golf, PR #1493 experiments",
    family="data",
    effect="+0.0020 BPB and 10 % fewer tokens a second: harmful",
    settings=(Setting("bos_id", 1, "token id that begins every document", minimum=0),),
)


class DocumentShuffleLoader:
    """Training batches of one rank; `open` starts from the first one, also when called again."""

    def __init__(self, bos_id: int) -> None:
        self.bos_id = bos_id
        self.seed = 0

    def prepare(self, session: Session) -> None:
        """The order depends on the run's seed."""
        self.seed = session.env.seed

    def open(self, pattern: Path, rank: int, world_size: int, vocab_size: int, ledger: Ledger) -> None:
        """Find the documents of this rank's shards; ValueError where there are fewer shards than ranks."""
        self.random = np.random.Generator(np.random.PCG64(self.seed + 1009 * rank))
        self.documents = []
        for shard in load_own_shards(pattern, rank, world_size, vocab_size):
            edges = [0, *np.flatnonzero(shard == self.bos_id).tolist(), len(shard)]
            self.documents.append([shard[start:end] for start, end in itertools.pairwise(edges) if end > start])
        self.ledger = ledger
        self.orders: list[list[int]] = []
        self.waiting = np.zeros(0, dtype=np.uint16)

    def take(self) -> np.ndarray:
        """The next document."""
        if not any(self.orders):
            self.orders = [self.random.permutation(len(documents)).tolist() for documents in self.documents]
        left = np.array([len(order) for order in self.orders])
        chosen = self.random.choice(len(left), p=left / left.sum())
        return self.documents[chosen][self.orders[chosen].pop(0)]

    def window(self, seq_len: int) -> np.ndarray:
        """The next T + 1 tokens of the stream; the last of them comes again."""
        parts = [self.waiting]
        while sum(map(len, parts)) <= seq_len:
            parts.append(self.take())
        tokens = np.concatenate(parts)
        self.waiting = tokens[seq_len:]
        return tokens[: seq_len + 1]

    def next(self, tokens: int, seq_len: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets (tokens/seq_len, seq_len), int64 on the CPU."""
        rows = torch.from_numpy(np.stack([self.window(seq_len) for _ in range(tokens // seq_len)]).astype(int))
        self.ledger.count("document_shuffle_loader", "batches")
        return rows[:, :-1].contiguous(), rows[:, 1:].contiguous()


@hookimpl
def token_loader(settings: SettingsView) -> Component:
    """In place of the sequential one."""
    return Component(DocumentShuffleLoader, bos_id=settings.bos_id)
