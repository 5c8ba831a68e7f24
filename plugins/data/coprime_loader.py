"""Coprime strides: every batch mixes windows of many shards, and each shard is walked with a stride of its own.

    a cursor of a shard:  random phase, n = (N-1-phase) // T windows, random start, random stride s with gcd(s, n) = 1;
                          its j-th visit is window (start + j s) mod n, and after n visits it is drawn anew
    a batch of W windows: p = min(batches / 1800, 1);  k = round(lo + p (hi - lo)) shards, drawn with weights
                          left^(0.9 - 0.4 p), one window each, the others multinomial over these;
                          windows go out in turns over the shards, in random order; rank r takes r, r + R, ...

lo = max(8, R) and hi = max(32, 8 R), at most as many as there are shards and windows. All ranks draw the same numbers, from a
generator that the shards' names seed: names without folders, unless `quirk_path_seed` asks for the public script's paths,
with which another mount point is another run. A shard without windows left counts like one that was never visited.

Source: openai/parameter-golf PR #726, PR #1060.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.shards import load_own_shards, shard_files

if TYPE_CHECKING:
    from pathlib import Path

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="coprime_loader",
    summary="Batches mix windows of many shards, each walked with a coprime stride.",
    source="openai/parameter-golf#726",
    family="data",
    effect="part of 1.1147 -> 1.1122 (PR #1060), not isolated",
    settings=(Setting("quirk_path_seed", False, "shard paths, folders included, seed the order, as in the scripts"),),
)


class CoprimeLoader:
    """Training batches of one rank; `open` starts from the first one, also when called again."""

    def __init__(self, path_seed: bool) -> None:
        self.path_seed = path_seed

    def open(self, pattern: Path, rank: int, world_size: int, vocab_size: int, ledger: Ledger) -> None:
        """Check every shard."""
        seed = 0
        for path in shard_files(pattern):
            for byte in (str(path) if self.path_seed else path.name).encode():
                seed = (seed ^ byte) * 1099511628211 % 2**64
        self.random = np.random.Generator(np.random.PCG64(seed))
        self.shards = load_own_shards(pattern, 0, 1, vocab_size)
        self.rank = rank
        self.world_size = world_size
        self.ledger = ledger
        self.seq_len = 0
        self.batches = 0

    def visit(self, shard: int) -> int:
        """Start of the next window of a shard."""
        if not self.left[shard]:
            length = len(self.shards[shard])
            most = min(self.seq_len - 1, length - self.seq_len - 1)
            phase = int(self.random.integers(most + 1)) if most > 0 else 0
            count = (length - 1 - phase) // self.seq_len
            place = int(self.random.integers(count))
            stride = count
            while math.gcd(stride, count) > 1:
                stride = int(self.random.integers(1, count))
            self.cursors[shard] = phase, count, place, stride
            self.left[shard] = count
        phase, count, place, stride = self.cursors[shard]
        self.cursors[shard] = phase, count, place + stride, stride
        self.left[shard] -= 1
        return phase + place % count * self.seq_len

    def draw(self, windows: int) -> list[tuple[int, int]]:
        """(shard, windows of it) for one batch, in the order in which they are taken."""
        late = min(self.batches / 1800, 1)
        held = [(len(shard) - 1) // self.seq_len for shard in self.shards]
        weights = np.array([left or full for left, full in zip(self.left, held, strict=True)]) ** (0.9 - 0.4 * late)
        fewest, most = (
            min(number, sum(map(bool, held)), windows)
            for number in (max(8, self.world_size), max(32, 8 * self.world_size))
        )
        if not fewest:
            raise ValueError(f"none of {len(held)} shards holds a sequence of {self.seq_len} tokens")
        count = round(fewest + late * (most - fewest))
        chosen = self.random.choice(len(held), count, replace=False, p=weights / weights.sum())
        shares = weights[chosen] / weights[chosen].sum()
        counts = 1 + self.random.multinomial(windows - count, shares)
        return [(int(chosen[place]), int(counts[place])) for place in self.random.permutation(count)]

    def starts(self, windows: int) -> list[tuple[int, int]]:
        """(shard, start) of every window of one batch over all ranks."""
        buckets = []
        for shard, count in self.draw(windows):
            bucket = [(shard, self.visit(shard)) for _ in range(count)]
            self.random.shuffle(bucket)
            buckets.append(bucket)
        found = []
        while buckets:
            self.random.shuffle(buckets)
            found += [bucket.pop() for bucket in buckets]
            buckets = [bucket for bucket in buckets if bucket]
        return found

    def next(self, tokens: int, seq_len: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets (tokens/seq_len, seq_len), int64 on the CPU; another `seq_len` drops all cursors."""
        if seq_len != self.seq_len:
            self.seq_len = seq_len
            self.left = [0] * len(self.shards)
            self.cursors = [(0, 1, 0, 1)] * len(self.shards)
        own = self.starts(self.world_size * tokens // seq_len)[self.rank :: self.world_size]
        rows = torch.from_numpy(
            np.stack([self.shards[at][start : start + seq_len + 1] for at, start in own]).astype(int)
        )
        self.batches += 1
        self.ledger.count("coprime_loader", "batches")
        return rows[:, :-1].contiguous(), rows[:, 1:].contiguous()


@hookimpl
def token_loader(settings: SettingsView) -> Component:
    """In place of the sequential one."""
    return Component(CoprimeLoader, path_seed=settings.quirk_path_seed)
