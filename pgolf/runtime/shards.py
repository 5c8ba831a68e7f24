"""Token shards: 256 little-endian int32 words [20240520, 1, n, 0, ...], then n little-endian uint16 ids.

A damaged shard trains a damaged model without a word, so reading is strict: every refusal is a ValueError that names
the file, the byte offset, what was seen and what was wanted.
"""

from pathlib import Path

import numpy as np
import torch

SHARD_MAGIC = 20240520
SHARD_VERSION = 1
HEADER_BYTES = 1024


def damaged(path: str | Path, offset: int, what: str, seen: int | str, wanted: int | str) -> ValueError:
    """The one form of complaint about a shard."""
    return ValueError(f"{path}: byte {offset}: {what} is {seen}, wanted {wanted}")


def shard_files(pattern: str | Path) -> list[Path]:
    """Paths that match, sorted by name; wildcards may stand in the last component only.

    Byte sidecars (`fineweb_val_bytes_*`) match the usual validation pattern but hold counts, so they are left out.
    """
    pattern = Path(pattern)
    files = sorted(path for path in pattern.parent.glob(pattern.name) if "_bytes_" not in path.name)
    if not files:
        raise ValueError(f"{pattern}: no shard matches; wanted files such as fineweb_train_000000.bin (see DATA_PATH)")
    return files


def shard_length(path: str | Path) -> int:
    """Number of tokens by the header, once magic, version and file length are right."""
    size = Path(path).stat().st_size
    if size < HEADER_BYTES:
        raise damaged(path, size, "the end of the file", f"at {size} bytes", f"a header of {HEADER_BYTES} bytes")
    magic, version, count = (int(word) for word in np.fromfile(path, dtype="<i4", count=3))
    if magic != SHARD_MAGIC:
        raise damaged(path, 0, "the magic number", magic, SHARD_MAGIC)
    if version != SHARD_VERSION:
        raise damaged(path, 4, "the version", version, SHARD_VERSION)
    if count < 1:
        raise damaged(path, 8, "the number of tokens", count, "at least 1")
    if size != HEADER_BYTES + 2 * count:
        wanted = f"{HEADER_BYTES + 2 * count} ({count} tokens)"
        raise damaged(path, min(size, HEADER_BYTES + 2 * count), "the file length", size, wanted)
    return count


def load_shard(path: str | Path, vocab_size: int) -> np.ndarray:
    """Token ids (n,) as a read-only uint16 memory map, checked against the vocabulary.

    A map and not a copy: ranks share one page cache, and loaders that visit many shards hold none in memory.
    """
    tokens = np.memmap(path, dtype="<u2", mode="r", offset=HEADER_BYTES, shape=(shard_length(path),))
    if int(tokens.max()) >= vocab_size:
        index = int((tokens >= vocab_size).argmax())
        raise damaged(path, HEADER_BYTES + 2 * index, f"token {index}", int(tokens[index]), f"an id below {vocab_size}")
    return tokens


def validation_tokens(pattern: str | Path, seq_len: int, vocab_size: int) -> torch.Tensor:
    """All validation tokens as uint16 (M,), M = floor((N-1)/T)*T + 1: whole sequences and their last target."""
    tokens = np.concatenate([load_shard(path, vocab_size) for path in shard_files(pattern)])
    kept = (len(tokens) - 1) // seq_len * seq_len + 1
    if kept < 2:
        raise ValueError(f"{pattern}: {len(tokens)} tokens, wanted at least {seq_len + 1} for one sequence")
    return torch.from_numpy(tokens[:kept].astype(np.uint16))
