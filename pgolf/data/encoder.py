"""From JSON lines to token ids: what each worker process does. Torch stays out: importing it takes seconds."""

from __future__ import annotations

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
from pgolf.errors import PgolfError


class Misfit(NamedTuple):
    """A document whose tokens stand for fewer or more bytes than its text has."""

    line: int
    counted: int
    actual: int


class Encoded(NamedTuple):
    """A batch as tokens: `ids` of all documents, each with BOS in front, and per document its length and byte count.

    `problems` holds `(line, message)` for lines that are no documents.
    """

    file: str
    ids: np.ndarray[Any, Any]
    lengths: list[int]
    byte_counts: list[int]
    misfits: list[Misfit]
    problems: list[tuple[int, str]]
    done: int


class Plan(NamedTuple):
    """Everything a worker needs; small, and sent to it once."""

    model: str
    tables: ByteTables
    text_field: str
    normalize: bool


class Encoder:
    """Encodes batches by a plan."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.tokenizer = SentencePieceProcessor(model_file=plan.model)
        self.normalizer = Normalizer(plan.model) if plan.normalize else None

    def __call__(self, batch: Batch) -> Encoded:
        parts: list[np.ndarray[Any, Any]] = [np.zeros(0, dtype=np.uint16)]
        encoded = Encoded(batch.file, parts[0], [], [], [], [], batch.done)
        for line, data in enumerate(batch.lines, batch.first_line):
            if data.isspace():
                continue
            try:
                text = document_text(data, self.plan.text_field)
            except ValueError as error:
                encoded.problems.append((line, str(error)))
                continue
            text = self.normalizer(text) if self.normalizer else text.replace("\0", "")
            ids = np.array([BOS_ID, *self.tokenizer.encode(text)], dtype=np.uint16)
            counted, actual = self.plan.tables.count(ids), len(text.encode())
            if counted != actual:
                encoded.misfits.append(Misfit(line, counted, actual))
            parts.append(ids)
            encoded.lengths.append(len(ids))
            encoded.byte_counts.append(counted)
        return encoded._replace(ids=np.concatenate(parts))


def document_text(line: bytes, text_field: str) -> str:
    """The text of one JSON line; ValueError says what is wrong with it."""
    try:
        record = json.loads(line.rstrip())
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: byte {line[error.start]:#04x} at column {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("not usable JSON: nested too deeply") from None
    if not isinstance(record, dict):
        raise ValueError(f"a JSON {type(record).__name__}, wanted an object with field {text_field!r}")
    if text_field not in record:
        raise ValueError(f"no field {text_field!r}; it has {', '.join(map(repr, record)) or 'none'}")
    text = record[text_field]
    if not isinstance(text, str):
        raise ValueError(f"field {text_field!r} is {type(text).__name__}, wanted a string")
    if not text.replace("\0", "").strip():
        raise ValueError(f"field {text_field!r} is empty")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"field {text_field!r} holds a lone surrogate, which UTF-8 cannot express") from None
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
