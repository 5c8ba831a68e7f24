"""Token shards: 256 little-endian int32 words [20240520, 1, n, 0, ...], then n little-endian uint16 ids.

A damaged shard trains a damaged model without a word, so reading is strict: every refusal is a ValueError that names
the file, what was seen and what was wanted.
"""

from pathlib import Path

import numpy as np
import torch

SHARD_MAGIC = 20240520
SHARD_VERSION = 1
HEADER_BYTES = 1024


def shard_files(pattern: str | Path) -> list[Path]:
    """Paths that match, sorted by name; wildcards may stand in the last component only.

    Byte side files (`fineweb_val_bytes_*`) match the usual validation pattern but hold counts: only a pattern that names
    them gives them.
    """
    pattern = Path(pattern)
    files = sorted(
        path for path in pattern.parent.glob(pattern.name) if ("_bytes_" in path.name) == ("_bytes_" in pattern.name)
    )
    if not files:
        raise ValueError(f"{pattern}: no shard matches, see DATA_PATH")
    return files


def shard_length(path: str | Path) -> int:
    """Number of tokens by the header, once magic, version and file length are right."""
    size = Path(path).stat().st_size
    header = np.fromfile(path, "<i4", 3).tolist()
    if size <= HEADER_BYTES or header != [SHARD_MAGIC, SHARD_VERSION, (size - HEADER_BYTES) / 2]:
        raise ValueError(
            f"{path}: {size} bytes and header {header}, "
            f"wanted {HEADER_BYTES} + 2n bytes and header [{SHARD_MAGIC}, {SHARD_VERSION}, n > 0]"
        )
    return header[2]  # type: ignore[no-any-return]


def load_shard(path: str | Path, vocab_size: int) -> np.ndarray:
    """Token ids (n,) as a read-only uint16 memory map, checked against the vocabulary.

    A map and not a copy: ranks share one page cache, and loaders that visit many shards hold none in memory.
    """
    tokens = np.memmap(path, "<u2", "r", HEADER_BYTES, shard_length(path))
    if tokens.max() >= vocab_size:
        raise ValueError(f"{path}: token {tokens.argmax()} is {tokens.max()}, wanted an id below {vocab_size}")
    return tokens


def validation_tokens(pattern: str | Path, seq_len: int, vocab_size: int) -> torch.Tensor:
    """All validation tokens as uint16 (M,), M = floor((N-1)/T)*T + 1: whole sequences and their last target."""
    tokens = np.concatenate([load_shard(path, vocab_size) for path in shard_files(pattern)])
    if len(tokens) <= seq_len:
        raise ValueError(f"{pattern}: {len(tokens)} tokens, wanted at least {seq_len + 1}")
    return torch.from_numpy(tokens[: (len(tokens) - 1) // seq_len * seq_len + 1])


def load_own_shards(pattern: str | Path, rank: int, world_size: int, vocab_size: int) -> list[np.ndarray]:
    """Shards rank, rank + world_size, ... as memory maps; ValueError where this rank would have none."""
    files = shard_files(pattern)
    if rank >= len(files):
        raise ValueError(f"{pattern}: {len(files)} shards for {world_size} ranks, wanted at least one for each rank")
    return [load_shard(path, vocab_size) for path in files[rank::world_size]]
