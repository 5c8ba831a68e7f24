"""JSON lines in, batches of raw lines out; compressed files are read as they are."""

from __future__ import annotations

import gzip
import importlib
import lzma
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from pgolf.errors import PgolfError

BATCH_BYTES = 1 << 20
READ_ERRORS = (OSError, EOFError, lzma.LZMAError, zlib.error)


class Batch(NamedTuple):
    """Consecutive lines of one file; `done` is how many bytes of all input files have been read so far."""

    file: str
    first_line: int
    lines: list[bytes]
    done: int


def read_batches(paths: Sequence[Path]) -> Iterator[Batch]:
    """All lines of all files in order, about a megabyte at a time.

    Raises:
        PgolfError: PG001 for a file that is missing, unreadable or damaged.
    """
    before = 0
    for path in paths:
        try:
            with open_lines(path) as (file, raw):
                lines: list[bytes] = []
                number = size = 0
                for number, line in enumerate(file, 1):
                    lines.append(line)
                    size += len(line)
                    if size >= BATCH_BYTES:
                        yield Batch(str(path), number - len(lines) + 1, lines, before + raw.tell())
                        lines, size = [], 0
                yield Batch(str(path), number - len(lines) + 1, lines, before + raw.tell())
            before += path.stat().st_size
        except READ_ERRORS as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise PgolfError("PG001", f"cannot be read: {reason}", str(path)) from error


def count_documents(paths: Sequence[Path], limit: int) -> int:
    """Number of lines that are not blank, or `limit` when there are at least that many."""
    count = 0
    for batch in read_batches(paths):
        count += sum(1 for line in batch.lines if not line.isspace())
        if count >= limit:
            return limit
    return count


@contextmanager
def open_lines(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The file decompressed by its suffix (.xz .gz .zst, else plain), and the file on disk for its position."""
    with ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        if path.suffix == ".xz":
            yield cast(BinaryIO, stack.enter_context(lzma.open(raw))), raw
        elif path.suffix == ".gz":
            yield cast(BinaryIO, stack.enter_context(gzip.open(raw))), raw
        elif path.suffix == ".zst":
            yield stack.enter_context(zstandard(path).open(raw)), raw
        else:
            yield raw, raw


def zstandard(path: Path) -> Any:
    """A module whose `open` reads Zstandard: the standard library's from Python 3.14, else an installed one."""
    for name in ("compression.zstd", "zstandard"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise PgolfError("PG001", "this Python cannot read .zst files", str(path), "unpack it first: zstd -d FILE")
