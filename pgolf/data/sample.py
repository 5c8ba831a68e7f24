"""`pgolf data sample`: shards and a tokenizer out of the standard library's own documentation, with no download.

Bits per byte on this text order one model against another. They say nothing about FineWeb.
"""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgolf.data.corpus import collect_documents, standard_library
from pgolf.data.encoder import TextEncoder
from pgolf.data.manifest import Manifest, damaged_files, describe_files, read_manifest, write_manifest
from pgolf.data.text import Normalizer, open_tokenizer
from pgolf.data.train_tokenizer import train_tokenizer, transformed
from pgolf.data.transform import Array, Transform
from pgolf.data.writer import is_of_data_set, write_shard
from pgolf.errors import PgolfError
from pgolf.files import whole_folder, write_atomically

VOCAB_SIZE = 1024
VAL_FRACTION = 0.08
ORDER_SEED = "pgolf sample 1"
# Underlines and rules of plain-text headings: one token each, and no English.
RULERS = re.compile(r"([-=*~^_#.+`])\1{3,}")


@dataclass(frozen=True)
class Sample:
    """Where the sample lies; `created` is false when it was there already. `manifest` holds the counts."""

    data_path: Path
    tokenizer_path: Path
    vocab_size: int
    created: bool
    manifest: Manifest


def sample_paths(directory: Path | str, vocab_size: int, transform: Transform | None = None) -> tuple[Path, Path]:
    """Folder of the shards and file of the tokenizer."""
    suffix = f"_{transform.name}" if transform is not None else ""
    folder = Path(directory) / "datasets" / f"sample_sp{vocab_size}{suffix}"
    return folder, Path(directory) / "tokenizers" / f"sample_{vocab_size}_bpe{suffix}.model"


def ensure_sample(
    directory: Path | str = "data",
    vocab_size: int = VOCAB_SIZE,
    note: Callable[[str], object] = str,
    transform: Transform | None = None,
) -> Sample:
    """The sample under `directory`, made if it is missing or damaged.

    Args:
        directory: data folder; gets `datasets/sample_sp{V}` and `tokenizers/sample_{V}_bpe.model`, or the same names with
            `_{plugin}` where text is transformed.
        vocab_size: pieces of the tokenizer, 512 to 65536.
        note: receives a line for each thing worth knowing.
        transform: what changes the documents first; byte side files come with the shards then.

    Raises:
        PgolfError: PG001 when the folder cannot be written or this Python has no documentation to read; PG004 for a
            vocabulary that the text cannot fill; PG506 for a transform that loses text.
    """
    folder, model = sample_paths(directory, vocab_size, transform)
    manifest = read_manifest(folder)
    if manifest is not None:
        problems = damaged_files(folder, manifest)
        if manifest.get("transform") != (transform.record if transform is not None else None):
            problems.append("another version of the transform made it")
        if not problems:
            return Sample(folder, model, vocab_size, False, manifest)
        note(f"making the sample anew: {problems[0]}")
    return Sample(folder, model, vocab_size, True, make_sample(folder, model, vocab_size, transform))


def make_sample(folder: Path, model: Path, vocab_size: int, transform: Transform | None = None) -> Manifest:
    """Write the tokenizer and then the shards with their manifest, by one rename."""
    documents = ordered_documents(standard_library())
    num_val = round(len(documents) * VAL_FRACTION)
    changed = [transformed(text, transform, "the sample") for text in documents]
    symbols = transform.text.symbols if transform is not None else ()
    write_atomically(model, train_tokenizer(changed[num_val:], vocab_size, symbols))
    tokenizer, tables = open_tokenizer(str(model))
    encoder = TextEncoder(tokenizer, tables, transform)
    splits = {}
    with whole_folder(folder, replaces=is_of_data_set) as unfinished:
        shards = []
        for split, texts in (("train", documents[num_val:]), ("val", documents[:num_val])):
            ids, sizes, splits[split] = encode_documents(texts, encoder)
            shards.append(unfinished / f"fineweb_{split}_000000.bin")
            write_shard(shards[-1], ids)
        if transform is not None:
            shards.append(unfinished / "fineweb_val_bytes_000000.bin")
            write_shard(shards[-1], sizes)
        manifest: Manifest = {
            "kind": "sample",
            "source": "documentation of the Python standard library",
            "python": platform.python_version(),
            **({"transform": transform.record} if transform is not None else {}),
            "tokenizer": {"name": model.name, "vocab_size": len(tokenizer)},
            **splits,
            "files": describe_files(unfinished, [model, *shards]),
        }
        write_manifest(unfinished, manifest)
    return {"format": 1, **manifest}


def ordered_documents(library: Path) -> list[str]:
    """Normalised documents, no two alike, in an order that depends on their text alone."""
    normalize = Normalizer()
    texts = {normalize(RULERS.sub(" ", document)) for document in collect_documents(library)}
    if sum(map(len, texts)) < 100_000:
        raise PgolfError(
            "PG001",
            f"only {len(texts)} documents of documentation in this Python's standard library",
            str(library),
            "use a Python that was installed with its .py files, or `pgolf data tokenize` on text of your own",
        )
    return sorted(texts, key=lambda text: hashlib.sha256(f"{ORDER_SEED}:{text}".encode()).digest())


def encode_documents(texts: list[str], encoder: TextEncoder) -> tuple[Array, Array, Manifest]:
    """Ids (n,) with BOS before each document, their bytes, and counts; documents that do not add up are left out."""
    kept = []
    for text in texts:
        ids, sizes, counted = encoder(text)
        if counted == len(text.encode()):
            kept.append((ids, sizes, counted))
    tokens, sizes = (np.concatenate([document[part] for document in kept]) for part in (0, 1))
    num_bytes = sum(counted for _, _, counted in kept)
    counts = {"documents": len(kept), "tokens": len(tokens), "bytes": num_bytes, "left_out": len(texts) - len(kept)}
    return tokens, sizes, counts
