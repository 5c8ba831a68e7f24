"""Files that are either whole or absent: written under another name, then renamed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pgolf.errors import PgolfError
from pgolf.runtime.shards import HEADER_BYTES, SHARD_MAGIC, SHARD_VERSION

SHARD_TOKENS = 100_000_000
Array = np.ndarray[Any, Any]


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Call `write(file)` on a neighbour of `path` and rename it; on any failure the neighbour is removed.

    Raises:
        PgolfError: PG001 when the folder cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            write(file)
        partial.replace(path)
    except OSError as error:
        raise PgolfError("PG001", f"cannot write: {error.strerror or error}", str(path)) from error
    finally:
        partial.unlink(missing_ok=True)


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
    """A stream of ids cut into `fineweb_{split}_{index:06d}.bin` of `shard_tokens` each; documents may straddle shards.

    Finished shards keep their partial name until `publish`, so a folder never holds half a data set.
    """

    def __init__(self, folder: Path, split: str, shard_tokens: int = SHARD_TOKENS):
        self.folder, self.split, self.shard_tokens = folder, split, shard_tokens
        self.pending: list[Array] = []
        self.pending_tokens = 0
        self.tokens = 0
        self.names: list[str] = []

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
            self.names.append(f"fineweb_{self.split}_{len(self.names):06d}.bin")
            write_shard(self.folder / unpublished(self.names[-1]), tokens)

    def publish(self) -> list[str]:
        """Give every shard its name; returns the names."""
        self.flush()
        for name in self.names:
            (self.folder / unpublished(name)).replace(self.folder / name)
        return self.names

    def discard(self) -> None:
        """Remove what was written and not published."""
        for name in self.names:
            (self.folder / unpublished(name)).unlink(missing_ok=True)


def unpublished(name: str) -> str:
    """Name of a shard while its data set is incomplete; no loader's pattern matches it."""
    return f"{name}.unpublished"


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed run left behind."""
    for path in {*folder.glob("fineweb_*.unpublished"), *folder.glob(".fineweb_*.part")}:
        path.unlink()


def remove_shards(folder: Path, keep: Iterable[Path] = ()) -> None:
    """Remove shards that an earlier data set left in the same folder; a loader would read them along."""
    for path in set(folder.glob("fineweb_*.bin")) - set(keep):
        path.unlink()
