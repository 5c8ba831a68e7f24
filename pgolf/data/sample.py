"""`pgolf data sample`: shards and a tokenizer out of the standard library's own documentation, with no download.

Bits per byte on this text order one model against another. They say nothing about FineWeb.
"""

from __future__ import annotations

import hashlib
import io
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pgolf.data.corpus import collect_documents, standard_library
from pgolf.data.manifest import Manifest, damaged_files, describe_files, read_manifest, write_manifest
from pgolf.data.text import BOS_ID, RULE, ByteTables, Normalizer, open_tokenizer
from pgolf.data.writer import remove_shards, write_atomically, write_shard
from pgolf.errors import PgolfError

VOCAB_SIZE = 1024
VAL_FRACTION = 0.08
ORDER_SEED = "pgolf sample 1"
# Underlines and rules of plain-text headings: one token each, and no English.
RULERS = re.compile(r"([-=*~^_#.+`])\1{3,}")

# The contest's tokenizer settings. One thread, because the model file records the number.
TRAINER: dict[str, Any] = {
    "model_type": "bpe",
    "byte_fallback": True,
    "split_digits": True,
    "normalization_rule_name": RULE,
    "add_dummy_prefix": False,
    "character_coverage": 0.999,
    "hard_vocab_limit": False,
    "pad_id": 0,
    "bos_id": BOS_ID,
    "eos_id": 2,
    "unk_id": 3,
    "num_threads": 1,
    "max_sentence_length": 1 << 20,  # the default drops longer documents without a word
    "minloglevel": 2,
}


@dataclass(frozen=True)
class Sample:
    """Where the sample lies; `created` is false when it was there already. `manifest` holds the counts."""

    data_path: Path
    tokenizer_path: Path
    vocab_size: int
    created: bool
    manifest: Manifest


def ensure_sample(
    directory: Path | str = "data", vocab_size: int = VOCAB_SIZE, note: Callable[[str], object] = str
) -> Sample:
    """The sample under `directory`, made if it is missing or damaged.

    Args:
        directory: data folder; gets `datasets/sample_sp{V}` and `tokenizers/sample_{V}_bpe.model`.
        vocab_size: pieces of the tokenizer, 512 to 65536.
        note: receives a line for each thing worth knowing.

    Raises:
        PgolfError: PG001 when the folder cannot be written or this Python has no documentation to read; PG004 for a
            vocabulary that the text cannot fill.
    """
    folder = Path(directory) / "datasets" / f"sample_sp{vocab_size}"
    model = Path(directory) / "tokenizers" / f"sample_{vocab_size}_bpe.model"
    manifest = read_manifest(folder)
    if manifest is not None:
        problems = damaged_files(folder, manifest)
        if not problems:
            return Sample(folder, model, vocab_size, False, manifest)
        note(f"making the sample anew: {problems[0]}")
    return Sample(folder, model, vocab_size, True, make_sample(folder, model, vocab_size))


def make_sample(folder: Path, model: Path, vocab_size: int) -> Manifest:
    """Write tokenizer, shards and, last of all, the manifest."""
    documents = ordered_documents(standard_library())
    num_val = round(len(documents) * VAL_FRACTION)
    train_texts = documents[num_val:]
    (folder / "manifest.json").unlink(missing_ok=True)
    write_atomically(model, lambda file: file.write(train_tokenizer(train_texts, vocab_size)))
    tokenizer, tables = open_tokenizer(str(model))
    splits = {}
    for split, texts in (("train", train_texts), ("val", documents[:num_val])):
        ids, splits[split] = encode_documents(texts, tokenizer, tables)
        write_shard(folder / f"fineweb_{split}_000000.bin", ids)
    shards = [folder / "fineweb_train_000000.bin", folder / "fineweb_val_000000.bin"]
    remove_shards(folder, keep=shards)
    manifest: Manifest = {
        "kind": "sample",
        "source": "documentation of the Python standard library",
        "python": platform.python_version(),
        "tokenizer": {"name": model.name, "vocab_size": len(tokenizer)},
        **splits,
        "files": describe_files(folder, [model, *shards]),
    }
    write_manifest(folder, manifest)
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


def train_tokenizer(texts: list[str], vocab_size: int) -> bytes:
    """A SentencePiece BPE model with the contest's settings; equal texts give equal bytes."""
    from sentencepiece import SentencePieceTrainer

    model = io.BytesIO()
    try:
        SentencePieceTrainer.train(sentence_iterator=iter(texts), model_writer=model, vocab_size=vocab_size, **TRAINER)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise PgolfError("PG004", f"no tokenizer of {vocab_size} pieces can be trained: {reason}") from None
    return model.getvalue()


def encode_documents(texts: list[str], tokenizer: Any, tables: ByteTables) -> tuple[np.ndarray[Any, Any], Manifest]:
    """Ids (n,) with BOS before each document, and counts; documents whose byte counts do not add up are left out."""
    kept = []
    num_bytes = 0
    for text in texts:
        ids = np.array([BOS_ID, *tokenizer.encode(text)], dtype=np.uint16)
        if tables.count(ids) == len(text.encode()):
            kept.append(ids)
            num_bytes += len(text.encode())
    tokens = np.concatenate(kept)
    counts = {"documents": len(kept), "tokens": len(tokens), "bytes": num_bytes, "left_out": len(texts) - len(kept)}
    return tokens, counts
