"""UTF-8 bytes of every validation token, from files beside the shards; for text that was transformed before tokenizing.

    fineweb_val_bytes_*.bin: as long as the validation shards, in their format; entry t is what token t stands for

A token's own text says nothing about the original's bytes then. BOS stands for none. Source: openai/parameter-golf#1729.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from pgolf.runtime.shards import load_shard, shard_files

if TYPE_CHECKING:
    from pgolf.runtime.ledger import Ledger


class SideFileBytes:
    """A byte counter that looks counts up by the targets' places; `plugin` is whose receipt it leaves."""

    def __init__(self, plugin: str):
        self.plugin = plugin

    def open(self, tokenizer_path: str, data_path: str, vocab_size: int, device: torch.device, ledger: Ledger) -> None:
        """Read the side files of the validation shards; ValueError where they are missing, damaged or of other shards."""
        pattern = Path(data_path, "fineweb_val_bytes_*.bin")
        tokens = read_stream(Path(data_path, "fineweb_val_*.bin"), vocab_size)
        counts = read_stream(pattern, 65536)
        if len(counts) != len(tokens):
            raise ValueError(
                f"{pattern}: {len(counts)} entries, wanted one for each of {len(tokens)} validation tokens"
            )
        wrong = np.flatnonzero((tokens == 1) & (counts > 0))
        if len(wrong):
            raise ValueError(f"{pattern}: entry {wrong[0]} belongs to BOS and is {counts[wrong[0]]}, wanted 0")
        self.counts = torch.from_numpy(counts.astype("i4")).to(device)
        self.ledger = ledger

    def count(self, x_BT: torch.Tensor, y_BT: torch.Tensor, positions_BT: torch.Tensor) -> torch.Tensor:
        """UTF-8 bytes of the target at each place of the validation stream, int64 (B,T)."""
        self.ledger.count(self.plugin, "targets", y_BT.numel())
        return self.counts[positions_BT].long()


def read_stream(pattern: Path, limit: int) -> np.ndarray:
    """Entries (n,) below `limit` of all files that match, one after another."""
    return np.concatenate([load_shard(path, limit) for path in shard_files(pattern)])
