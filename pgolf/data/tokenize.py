"""`pgolf data tokenize`: a corpus of JSON lines to shards, in the published layout.

Every document becomes BOS and its tokens, without EOS, in input order; the first ones are validation. Each document's
bytes by the tokenizer's tables are compared with the UTF-8 length of its text: where they differ, bits per byte would
divide by the bytes of another text.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pgolf.data.documents import count_documents, read_batches
from pgolf.data.encoder import Encoded, Misfit, Plan, encode_batches
from pgolf.data.manifest import NAME, Manifest, describe_files, write_manifest
from pgolf.data.progress import Meter
from pgolf.data.text import open_tokenizer
from pgolf.data.writer import SHARD_TOKENS, ShardWriter, file_sha256, remove_leftovers, remove_shards
from pgolf.errors import PgolfError, raise_all

VAL_DOCUMENTS = 50_000
VAL_SHARE = 10


@dataclass(frozen=True)
class Options:
    """What the user chose; `val_documents` None stands for 50,000, but never more than a tenth of the corpus."""

    val_documents: int | None = None
    shard_tokens: int = SHARD_TOKENS
    workers: int = 0
    text_field: str = "text"
    normalize: bool = False
    allow_lossy: bool = False
    force: bool = False


@dataclass
class Tally:
    """Counts of one split."""

    writer: ShardWriter
    documents: int = 0
    bytes: int = 0

    def add(self, encoded: Encoded, start: int, stop: int) -> None:
        """Documents `start` to `stop` of a batch."""
        before = sum(encoded.lengths[:start])
        self.writer.add(encoded.ids[before : before + sum(encoded.lengths[start:stop])])
        self.documents += stop - start
        self.bytes += sum(encoded.byte_counts[start:stop])

    def record(self) -> Manifest:
        """For the manifest."""
        return {"documents": self.documents, "tokens": self.writer.tokens, "bytes": self.bytes}


@dataclass
class Misfits:
    """Documents whose bytes do not add up; the first is kept for the message."""

    count: int = 0
    where: str = ""
    first: Misfit | None = None
    missing: int = 0

    def add(self, encoded: Encoded) -> bool:
        """Take in a batch's; true when one of them is the first of all."""
        is_first = self.first is None and bool(encoded.misfits)
        if is_first:
            self.first = encoded.misfits[0]
            self.where = f"{encoded.file}:{self.first.line}"
        self.count += len(encoded.misfits)
        self.missing += sum(misfit.actual - misfit.counted for misfit in encoded.misfits)
        return is_first

    def message(self, documents: int) -> str:
        """How many, and the first with both numbers."""
        assert self.first is not None
        return (
            f"{self.count} of {documents} documents do not add up; in the first, tokens stand for "
            f"{self.first.counted} bytes and the text has {self.first.actual}"
        )


def tokenize(inputs: Sequence[Path], model: Path, folder: Path, options: Options) -> Manifest:
    """Write shards and manifest.json into `folder`, all or nothing; returns the manifest.

    Raises:
        PgolfError: PG001 for unreadable input, lines that are no documents, or a folder that holds shards already;
            PG503 for a tokenizer that does not fit shards, or for documents whose bytes do not add up; PG004 when no
            training text would be left; PG005 when a worker dies.
    """
    if not options.force and any(folder.glob("fineweb_*.bin")):
        raise PgolfError("PG001", "the folder holds shards already", str(folder), "choose another, or pass --force")
    tokenizer, tables = open_tokenizer(str(model))
    val_documents = choose_val_documents(inputs, options)
    remove_leftovers(folder)
    train = Tally(ShardWriter(folder, "train", options.shard_tokens))
    val = Tally(ShardWriter(folder, "val", options.shard_tokens))
    try:
        plan = Plan(str(model), tables, options.text_field, options.normalize)
        misfits = encode_all(inputs, plan, options.workers or os.cpu_count() or 1, train, val, val_documents)
        check_result(train, val, misfits, options)
        (folder / NAME).unlink(missing_ok=True)
        shards = [folder / name for name in (*val.writer.publish(), *train.writer.publish())]
    finally:
        train.writer.discard()
        val.writer.discard()
    remove_shards(folder, keep=shards)
    manifest: Manifest = {
        "kind": "tokenize",
        "python": platform.python_version(),
        "inputs": [{"name": path.name, "bytes": path.stat().st_size} for path in inputs],
        "text_field": options.text_field,
        "normalized": options.normalize,
        "tokenizer": {"name": model.name, "vocab_size": len(tokenizer), "sha256": file_sha256(model)},
        "train": train.record(),
        "val": val.record(),
        "lossy": {"documents": misfits.count, "bytes_not_counted": misfits.missing, "first": misfits.where},
        "files": describe_files(folder, shards),
    }
    write_manifest(folder, manifest)
    return manifest


def choose_val_documents(inputs: Sequence[Path], options: Options) -> int:
    """The number asked for; else 50,000 or, in a small corpus, a tenth of it."""
    if options.val_documents is not None:
        return options.val_documents
    return min(VAL_DOCUMENTS, count_documents(inputs, VAL_DOCUMENTS * VAL_SHARE) // VAL_SHARE)


def encode_all(
    inputs: Sequence[Path], plan: Plan, workers: int, train: Tally, val: Tally, val_documents: int
) -> Misfits:
    """Send every document to its split. The first batch with broken lines ends it, with all lines of that batch."""
    misfits = Misfits()
    with Meter("tokenize", sum(path.stat().st_size for path in inputs if path.exists())) as meter:
        for encoded in encode_batches(read_batches(inputs), plan, workers):
            raise_all([PgolfError("PG001", text, f"{encoded.file}:{line}") for line, text in encoded.problems])
            if misfits.add(encoded):
                meter.note(f"bytes do not add up, first in {misfits.where}")
            count = len(encoded.lengths)
            cut = min(max(val_documents - val.documents, 0), count)
            val.add(encoded, 0, cut)
            train.add(encoded, cut, count)
            meter.update(encoded.done, f"{val.documents + train.documents} documents, {train.writer.tokens} tokens")
    return misfits


def check_result(train: Tally, val: Tally, misfits: Misfits, options: Options) -> None:
    """Refuse an empty split and, unless allowed, documents whose bytes do not add up."""
    documents = train.documents + val.documents
    if documents == 0:
        raise PgolfError(
            "PG001", "no documents in the input", hint="each line is a JSON object with the text in a field"
        )
    if train.documents == 0:
        raise PgolfError(
            "PG004", f"all {documents} documents are validation: no training text is left", hint="lower --val-docs"
        )
    if misfits.count and not options.allow_lossy:
        hint = "--normalize counts the text as the tokenizer sees it; --allow-lossy keeps the count in the manifest"
        raise PgolfError("PG503", misfits.message(documents), misfits.where, hint)
