"""From JSON lines to token ids: what each worker process does. Torch stays out: importing it takes seconds."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
from sentencepiece import SentencePieceProcessor

from pgolf.data.documents import Batch
from pgolf.data.text import BOS_ID, ByteTables, Normalizer
from pgolf.data.transform import Array, Refusal, Transform, apply, token_bytes, tokenize_with_spans
from pgolf.errors import PgolfError

NO_TOKENS = np.zeros(0, dtype=np.uint16)


class Document(NamedTuple):
    """One document: its line, its number of tokens with BOS, the bytes they stand for, and a hash of its text."""

    line: int
    tokens: int
    size: int
    digest: bytes


class Misfit(NamedTuple):
    """A document whose tokens stand for fewer or more bytes than its text has."""

    line: int
    counted: int
    actual: int


class Problem(NamedTuple):
    """A line that cannot be used, with the code of the error."""

    line: int
    code: str
    message: str


class Encoded(NamedTuple):
    """A batch as tokens: `ids` of all documents, each with BOS in front.

    `sizes` are the bytes that each token stands for, where text is transformed; else it is empty.
    """

    file: str
    ids: Array
    sizes: Array
    documents: list[Document]
    misfits: list[Misfit]
    problems: list[Problem]
    done: int


class Plan(NamedTuple):
    """Everything a worker needs; small, and sent to it once."""

    model: str
    tables: ByteTables
    text_field: str
    normalize: bool
    transform: Transform | None = None


class TextEncoder:
    """Encodes one document at a time."""

    def __init__(self, tokenizer: Any, tables: ByteTables, transform: Transform | None = None):
        self.tokenizer, self.tables, self.transform = tokenizer, tables, transform

    def __call__(self, text: str) -> tuple[Array, Array, int]:
        """Ids (n,) with BOS in front, the bytes of each (n,) where text is transformed, and all bytes together."""
        if self.transform is None:
            ids = np.array([BOS_ID, *self.tokenizer.encode(text)], dtype=np.uint16)
            return ids, NO_TOKENS, self.tables.count(ids)
        changed, counts = apply(self.transform, text)
        found, spans = tokenize_with_spans(self.tokenizer, changed)
        sizes = token_bytes(found, spans, counts, self.tokenizer.unk_id())
        ids = np.array([BOS_ID, *found], dtype=np.uint16)
        return ids, np.array([0, *sizes], dtype=np.uint16), int(sizes.sum())


class Encoder:
    """Encodes batches by a plan."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.encode = TextEncoder(SentencePieceProcessor(model_file=plan.model), plan.tables, plan.transform)
        self.normalizer = Normalizer(plan.model) if plan.normalize else None

    def __call__(self, batch: Batch) -> Encoded:
        ids, sizes = [NO_TOKENS], [NO_TOKENS]
        encoded = Encoded(batch.file, NO_TOKENS, NO_TOKENS, [], [], [], batch.done)
        for line, data in enumerate(batch.lines, batch.first_line):
            if data.isspace():
                continue
            try:
                text = document_text(data, self.plan.text_field)
                text = self.normalizer(text) if self.normalizer else text.replace("\0", "")
                ids_of_one, sizes_of_one, counted = self.encode(text)
            except Refusal as error:
                encoded.problems.append(Problem(line, error.code, str(error)))
                continue
            raw = text.encode()
            if counted != len(raw):
                encoded.misfits.append(Misfit(line, counted, len(raw)))
            ids.append(ids_of_one)
            sizes.append(sizes_of_one)
            digest = hashlib.blake2b(raw, digest_size=8).digest()
            encoded.documents.append(Document(line, len(ids_of_one), counted, digest))
        return encoded._replace(ids=np.concatenate(ids), sizes=np.concatenate(sizes))


def document_text(line: bytes, text_field: str) -> str:
    """The text of one JSON line; Refusal says what is wrong with it."""
    try:
        record = json.loads(line.rstrip())
    except UnicodeDecodeError as error:
        raise Refusal("PG001", f"not UTF-8: byte {line[error.start]:#04x} at column {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise Refusal("PG001", f"not JSON: {error.msg} at column {error.pos + 1}") from None
    except RecursionError:
        raise Refusal("PG001", "not usable JSON: nested too deeply") from None
    if not isinstance(record, dict):
        raise Refusal("PG001", f"a JSON {type(record).__name__}, wanted an object with field {text_field!r}")
    if text_field not in record:
        raise Refusal("PG001", f"no field {text_field!r}; it has {', '.join(map(repr, record)) or 'none'}")
    text = record[text_field]
    if not isinstance(text, str):
        raise Refusal("PG001", f"field {text_field!r} is {type(text).__name__}, wanted a string")
    if not text.replace("\0", "").strip():
        raise Refusal("PG001", f"field {text_field!r} is empty")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refusal("PG001", f"field {text_field!r} holds a lone surrogate, which UTF-8 cannot express") from None
    return text


_encoders: list[Encoder] = []


def start_worker(plan: Plan) -> None:
    """Build this process's encoder once."""
    _encoders[:] = [Encoder(plan)]


def work(batch: Batch) -> Encoded:
    """Encode in a worker process."""
    return _encoders[0](batch)


def encode_batches(batches: Iterable[Batch], plan: Plan, workers: int) -> Iterator[Encoded]:
    """Encoded batches in input order; a few batches per worker are under way at a time, so memory stays bounded.

    Raises:
        PgolfError: PG005 when a worker process dies.
    """
    if workers <= 1:
        yield from map(Encoder(plan), batches)
        return
    # Fresh processes: forking one that holds torch's threads can hang.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), start_worker, (plan,))
    try:
        waiting: deque[Future[Encoded]] = deque()
        for batch in batches:
            waiting.append(pool.submit(work, batch))
            if len(waiting) >= 4 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise PgolfError("PG005", "a tokenizing process died (out of memory?)", hint="use fewer --workers") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
