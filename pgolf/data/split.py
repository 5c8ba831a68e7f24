"""Are training and validation apart? Looks for validation documents in the training shards, token by token.

A document is what stands between two BOS. One that goes on in the next shard is looked at whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pgolf.data.manifest import read_manifest
from pgolf.errors import PgolfError
from pgolf.runtime.shards import load_shard, shard_files

BOS = 1
HINT = "leave these documents out of the training text and make the shards again"
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Split:
    """What a folder's shards hold.

    Attributes:
        train, val: documents of each.
        shared: training documents that are validation documents too.
        first: where the first of them ends, as "FILE: document N", or "".
    """

    train: int
    val: int
    shared: int
    first: str


def documents(files: list[Path]) -> Iterator[tuple[Path, bytes]]:
    """(the file in which it ends, its tokens) of every document; what stands before the first BOS is left out."""
    waiting: Array = np.zeros(0, dtype=np.uint16)
    for path in files:
        tokens = np.concatenate([waiting, load_shard(path, 65536)])
        starts = np.flatnonzero(tokens == BOS).tolist()
        for place, start in enumerate(starts[:-1]):
            yield path, tokens[start : starts[place + 1]].tobytes()
        waiting = tokens[starts[-1] :] if starts else tokens[:0]
    if len(waiting):
        yield files[-1], waiting.tobytes()


def check_tokens(folder: Path) -> Split:
    """Every training document against all validation documents; some seconds for each shard of 100 million tokens.

    Raises:
        PgolfError: PG001 where there are no shards of either kind, PG502 for a damaged one.
    """
    found = {}
    for kind in ("val", "train"):
        try:
            found[kind] = shard_files(folder / f"fineweb_{kind}_*.bin")
        except ValueError as error:
            raise PgolfError("PG001", str(error), str(folder), "give a folder of shards") from None
    try:
        known = [digest(tokens) for _, tokens in documents(found["val"])]
        return compare(frozenset(known), len(known), found["train"])
    except (OSError, ValueError) as error:
        raise PgolfError("PG502", str(error), str(folder), "download or make the shard again") from None


def compare(known: frozenset[bytes], val: int, files: list[Path]) -> Split:
    """Training documents whose digest is one of `known`."""
    train = shared = 0
    first = ""
    for path, tokens in documents(files):
        train += 1
        if digest(tokens) in known:
            shared += 1
            first = first or f"{path.name}: document {train}"
    return Split(train, val, shared, first)


def digest(tokens: bytes) -> bytes:
    """What a document is known by."""
    return hashlib.blake2b(tokens, digest_size=16).digest()


def refuse_shared(folder: Path, shared: int, first: str) -> None:
    """Raise PG507 where there is a shared document."""
    if shared:
        text = f"{shared} training documents are validation documents, first {first}"
        raise PgolfError("PG507", text, str(folder), HINT)


def check_manifest(folder: Path) -> None:
    """What the manifest says of the split, if there is one.

    Raises:
        PgolfError: PG507 where it counts training documents that are validation documents.
    """
    counted = (read_manifest(folder) or {}).get("train_in_val") or {}
    refuse_shared(folder, int(counted.get("documents", 0)), str(counted.get("first", "")))
