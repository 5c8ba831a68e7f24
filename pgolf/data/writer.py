"""Shards as files of a data set, each whole or absent."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from pgolf.files import write_atomically
from pgolf.runtime.shards import HEADER_BYTES, SHARD_MAGIC, SHARD_VERSION

MANIFEST = "manifest.json"
SHARD_TOKENS = 100_000_000
Array = np.ndarray[Any, Any]


def write_shard(path: Path, tokens: Array) -> None:
    """One shard: 256 little-endian int32 words [20240520, 1, n, 0, ...], then the ids (n,) as little-endian uint16.

    Raises:
        ValueError: no tokens, or an id that 16 bits cannot hold.
    """
    if len(tokens) == 0 or int(tokens.min()) < 0 or int(tokens.max()) > 65535:
        raise ValueError(f"{path}: {len(tokens)} tokens, wanted at least one and ids from 0 to 65535")
    header = np.zeros(HEADER_BYTES // 4, dtype="<i4")
    header[:3] = SHARD_MAGIC, SHARD_VERSION, len(tokens)
    write_atomically(
        path, lambda file: (file.write(header.tobytes()), file.write(tokens.astype("<u2", copy=False).data))
    )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class ShardWriter:
    """A stream of ids cut into `fineweb_{split}_{index:06d}.bin` of `shard_tokens` each; documents may straddle shards."""

    def __init__(self, folder: Path, split: str, shard_tokens: int = SHARD_TOKENS):
        self.folder, self.split, self.shard_tokens = folder, split, shard_tokens
        self.pending: list[Array] = []
        self.pending_tokens = 0
        self.tokens = 0
        self.paths: list[Path] = []

    def add(self, ids: Array) -> None:
        """Append ids (n,)."""
        self.tokens += len(ids)
        while self.pending_tokens + len(ids) >= self.shard_tokens:
            room = self.shard_tokens - self.pending_tokens
            self.pending.append(ids[:room])
            ids = ids[room:]
            self.flush()
        self.pending.append(ids)
        self.pending_tokens += len(ids)

    def flush(self) -> None:
        """Write what is pending as one shard."""
        tokens = np.concatenate(self.pending) if self.pending else np.zeros(0, dtype=np.uint16)
        self.pending, self.pending_tokens = [], 0
        if len(tokens):
            self.paths.append(self.folder / f"fineweb_{self.split}_{len(self.paths):06d}.bin")
            write_shard(self.paths[-1], tokens)


def is_of_data_set(name: str) -> bool:
    """Is a file of this name a shard, a side file or the manifest? What else lies in the folder is the user's."""
    return name == MANIFEST or (
        name.startswith(("fineweb_", ".fineweb_")) and name.endswith((".bin", ".part", ".unpublished"))
    )
