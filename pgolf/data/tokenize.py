"""`pgolf data tokenize`: a corpus of JSON lines to shards, in the published layout.

Every document becomes BOS and its tokens, without EOS, in input order; the first ones are validation. Each document's
bytes by the tokenizer's tables are compared with the UTF-8 length of its text: where they differ, bits per byte would
divide by the bytes of another text.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pgolf.data.documents import count_documents, read_batches
from pgolf.data.encoder import Encoded, Misfit, Plan, encode_batches
from pgolf.data.manifest import Manifest, describe_files, write_manifest
from pgolf.data.progress import Meter
from pgolf.data.text import open_tokenizer
from pgolf.data.transform import Transform
from pgolf.data.writer import SHARD_TOKENS, ShardWriter, file_sha256, is_of_data_set
from pgolf.errors import PgolfError, raise_all
from pgolf.files import whole_folder

VAL_DOCUMENTS = 50_000
VAL_SHARE = 10
CONTEST_LIST = "docs_selected"


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
    transform: Transform | None = None


class Split:
    """Shards of one split and their counts; with `side_files`, also the bytes of every token."""

    def __init__(self, folder: Path, name: str, shard_tokens: int, side_files: bool = False):
        self.writer = ShardWriter(folder, name, shard_tokens)
        self.sizes = ShardWriter(folder, f"{name}_bytes", shard_tokens) if side_files else None
        self.documents = self.bytes = 0

    def add(self, encoded: Encoded, start: int, stop: int) -> None:
        """Documents `start` to `stop` of a batch."""
        before = sum(document.tokens for document in encoded.documents[:start])
        chosen = encoded.documents[start:stop]
        after = before + sum(document.tokens for document in chosen)
        self.writer.add(encoded.ids[before:after])
        if self.sizes is not None:
            self.sizes.add(encoded.sizes[before:after])
        self.documents += len(chosen)
        self.bytes += sum(document.size for document in chosen)

    def close(self) -> list[Path]:
        """Write what is pending; returns all files."""
        writers = [self.writer] + ([self.sizes] if self.sizes is not None else [])
        for writer in writers:
            writer.flush()
        return [path for writer in writers for path in writer.paths]

    def record(self) -> Manifest:
        """For the manifest."""
        return {"documents": self.documents, "tokens": self.writer.tokens, "bytes": self.bytes}


@dataclass
class Overlap:
    """Train documents that are validation documents too, word for word: what is scored would be what was trained on."""

    validation: set[bytes] = field(default_factory=set)
    count: int = 0
    where: str = ""

    def add(self, encoded: Encoded, cut: int) -> bool:
        """Take in a batch whose first `cut` documents are validation; true when it has the first of all."""
        self.validation |= {document.digest for document in encoded.documents[:cut]}
        found = [document for document in encoded.documents[cut:] if document.digest in self.validation]
        is_first = bool(found) and not self.count
        if is_first:
            self.where = f"{encoded.file}:{found[0].line}"
        self.count += len(found)
        return is_first


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
    """Write shards and manifest.json into `folder`, by one rename; returns the manifest.

    With `force`, a data set that is there is replaced by the same rename, and what else lies in the folder stays.

    Raises:
        PgolfError: PG001 for unreadable input, lines that are no documents, or a folder that holds shards already;
            PG503 for a tokenizer that does not fit shards or the transform, or for documents whose bytes do not add up;
            PG506 for a transform that loses text; PG004 when no training text would be left; PG005 when a worker dies.
    """
    if not options.force and any(folder.glob("fineweb_*.bin")):
        raise PgolfError("PG001", "the folder holds shards already", str(folder), "choose another, or pass --force")
    tokenizer, tables = open_tokenizer(str(model))
    if options.transform is not None:
        check_symbols(options.transform, tokenizer, model)
    val_documents = choose_val_documents(inputs, options)
    plan = Plan(str(model), tables, options.text_field, options.normalize, options.transform)
    with whole_folder(folder, replaces=is_of_data_set) as unfinished:
        train = Split(unfinished, "train", options.shard_tokens)
        val = Split(unfinished, "val", options.shard_tokens, side_files=options.transform is not None)
        run = Run(inputs, train, val, val_documents, options)
        run.encode_all(plan)
        run.check()
        manifest = {
            **describe_inputs(inputs, model, len(tokenizer), options),
            **run.records(),
            "files": describe_files(unfinished, [*val.close(), *train.close()]),
        }
        write_manifest(unfinished, manifest)
    return manifest


def describe_inputs(inputs: Sequence[Path], model: Path, vocab_size: int, options: Options) -> Manifest:
    """What the shards were made of and how, for the manifest."""
    return {
        "kind": "tokenize",
        "python": platform.python_version(),
        "inputs": [{"name": path.name, "bytes": path.stat().st_size} for path in inputs],
        "text_field": options.text_field,
        "normalized": options.normalize,
        "transform": options.transform.record if options.transform is not None else None,
        "tokenizer": {"name": model.name, "vocab_size": vocab_size, "sha256": file_sha256(model)},
    }


def check_symbols(transform: Transform, tokenizer: Any, model: Path) -> None:
    """Refuse a tokenizer that would spell the transform's symbols as bytes."""
    missing = [symbol for symbol in transform.text.symbols if tokenizer.piece_to_id(symbol) == tokenizer.unk_id()]
    if missing:
        text = f"the tokenizer has no piece U+{ord(missing[0][0]):04X}, which {transform.name} needs"
        hint = f"use one that was made for it, or train one: pgolf data tokenizer --transform {transform.name}"
        raise PgolfError("PG503", text, str(model), hint)


def choose_val_documents(inputs: Sequence[Path], options: Options) -> int:
    """The number asked for; else 50,000 or, in a small corpus, a tenth of it."""
    if options.val_documents is not None:
        return options.val_documents
    return min(VAL_DOCUMENTS, count_documents(inputs, VAL_DOCUMENTS * VAL_SHARE) // VAL_SHARE)


@dataclass
class Run:
    """One pass over the corpus: every document goes to its split."""

    inputs: Sequence[Path]
    train: Split
    val: Split
    val_documents: int
    options: Options
    misfits: Misfits = field(default_factory=Misfits)
    overlap: Overlap = field(default_factory=Overlap)

    @property
    def suspicious(self) -> int:
        """Number of documents from which on the corpus may be the contest's list; 1 for a file of that name."""
        return 1 if any(path.name.startswith(CONTEST_LIST) for path in self.inputs) else VAL_DOCUMENTS

    @property
    def documents(self) -> int:
        """Documents so far."""
        return self.val.documents + self.train.documents

    def encode_all(self, plan: Plan) -> None:
        """Encode everything. The first batch with broken lines ends it, with all lines of that batch."""
        workers = self.options.workers or os.cpu_count() or 1
        with Meter("tokenize", sum(path.stat().st_size for path in self.inputs if path.exists())) as meter:
            for encoded in encode_batches(read_batches(self.inputs), plan, workers):
                raise_all([PgolfError(code, text, f"{encoded.file}:{line}") for line, code, text in encoded.problems])
                for remark in self.add(encoded):
                    meter.note(remark)
                meter.update(encoded.done, f"{self.documents} documents, {self.train.writer.tokens} tokens")

    def add(self, encoded: Encoded) -> list[str]:
        """Take in a batch; returns remarks on what came up in it for the first time."""
        remarks, before, count = [], self.documents, len(encoded.documents)
        cut = min(max(self.val_documents - self.val.documents, 0), count)
        self.val.add(encoded, 0, cut)
        self.train.add(encoded, cut, count)
        if self.misfits.add(encoded):
            remarks.append(f"bytes do not add up, first in {self.misfits.where}")
        if self.overlap.add(encoded, cut):
            remarks.append(
                f"warning: {self.overlap.where} is a train document and, word for word, a validation document"
            )
        if self.val_documents < VAL_DOCUMENTS and before < self.suspicious <= self.documents:
            remarks.append(
                f"warning: the contest scores the first {VAL_DOCUMENTS:,} documents of its list; if this is that list, "
                f"documents {self.val_documents + 1:,} to {VAL_DOCUMENTS:,} are train text here: "
                f"give --val-docs {VAL_DOCUMENTS}"
            )
        return remarks

    def check(self) -> None:
        """Refuse an empty split and, unless allowed, documents whose bytes do not add up."""
        if self.documents == 0:
            raise PgolfError(
                "PG001", "no documents in the input", hint="each line is a JSON object with the text in a field"
            )
        if self.train.documents == 0:
            text = f"all {self.documents} documents are validation: no training text is left"
            raise PgolfError("PG004", text, hint="lower --val-docs")
        if self.misfits.count and not self.options.allow_lossy:
            hint = "--normalize counts the text as the tokenizer sees it; --allow-lossy keeps the count in the manifest"
            raise PgolfError("PG503", self.misfits.message(self.documents), self.misfits.where, hint)

    def records(self) -> Manifest:
        """For the manifest."""
        return {
            "train": self.train.record(),
            "val": self.val.record(),
            "lossy": {
                "documents": self.misfits.count,
                "bytes_not_counted": self.misfits.missing,
                "first": self.misfits.where,
            },
            "train_in_val": {"documents": self.overlap.count, "first": self.overlap.where},
        }
