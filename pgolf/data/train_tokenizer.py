"""Trains a SentencePiece tokenizer with the contest's settings, on plain or on transformed text."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pgolf.data.documents import read_batches
from pgolf.data.encoder import document_text
from pgolf.data.progress import Meter
from pgolf.data.text import BOS_ID, RULE, open_tokenizer
from pgolf.data.transform import Refusal, Transform, apply
from pgolf.errors import PgolfError
from pgolf.files import write_atomically

# One thread, because the model file records the number.
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


def train_tokenizer(texts: Iterable[str], vocab_size: int, symbols: Sequence[str] = ()) -> bytes:
    """A SentencePiece BPE model; equal texts give equal bytes.

    Args:
        texts: what it will be used on: already transformed, where text is transformed.
        vocab_size: pieces, with 4 control and 256 byte pieces among them.
        symbols: pieces of their own that are never merged; their ids follow the control pieces.

    Raises:
        PgolfError: PG004 for a vocabulary that the text cannot fill.
    """
    from sentencepiece import SentencePieceTrainer

    model, failures = io.BytesIO(), []

    def guarded() -> Iterator[str]:
        """An exception would not get through the trainer as it is."""
        try:
            yield from texts
        except PgolfError as error:
            failures.append(error)

    options = TRAINER | ({"user_defined_symbols": list(symbols)} if symbols else {})
    try:
        SentencePieceTrainer.train(sentence_iterator=guarded(), model_writer=model, vocab_size=vocab_size, **options)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        failures.append(PgolfError("PG004", f"no tokenizer of {vocab_size} pieces can be trained: {reason}"))
    if failures:
        raise failures[0]
    return model.getvalue()


def transformed(text: str, transform: Transform | None, where: str) -> str:
    """What the tokenizer will see; PG506 for a document that the transform loses."""
    try:
        return text if transform is None else apply(transform, text)[0]
    except Refusal as error:
        raise PgolfError(error.code, str(error), where) from None


@dataclass
class Corpus:
    """Documents of JSON lines, without the first `skip` and at most `limit`, changed by `transform`; counts what it gives."""

    inputs: Sequence[Path]
    text_field: str
    skip: int
    limit: int
    transform: Transform | None
    documents: int = 0
    size: int = 0

    def __iter__(self) -> Iterator[str]:
        with Meter("tokenizer", self.limit) as meter:
            for where, data in islice(self.lines(), self.skip, self.skip + self.limit):
                try:
                    text = document_text(data, self.text_field).replace("\0", "")
                except Refusal as error:
                    raise PgolfError(error.code, str(error), where) from None
                changed = transformed(text, self.transform, where)
                self.documents += 1
                self.size += len(text.encode())
                meter.update(self.documents, f"{self.documents} documents read")
                yield changed

    def lines(self) -> Iterator[tuple[str, bytes]]:
        """(file:line, line) of every document."""
        for batch in read_batches(self.inputs):
            for number, line in enumerate(batch.lines, batch.first_line):
                if not line.isspace():
                    yield f"{batch.file}:{number}", line


def train_on_corpus(corpus: Corpus, output: Path, vocab_size: int) -> dict[str, Any]:
    """Train and write the model; returns what it has and what it was made of.

    Raises:
        PgolfError: PG001 for unreadable input or a line that is no document, PG506 for a transform that loses text, PG503
            for a tokenizer that cannot count bytes, PG004 where there is too little text for the vocabulary.
    """
    symbols = corpus.transform.text.symbols if corpus.transform is not None else ()
    model = train_tokenizer(corpus, vocab_size, symbols)
    write_atomically(output, model)
    tokenizer, _ = open_tokenizer(str(output))
    record = corpus.transform.record if corpus.transform is not None else None
    counts = {"documents": corpus.documents, "bytes": corpus.size}
    return {"tokenizer": str(output), "pieces": len(tokenizer), "transform": record, **counts}
