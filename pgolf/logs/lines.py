"""From the bytes of a log to its lines: the encoding, what launchers and loggers write before a line, and a budget."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

# Longer lines are dumps, not results.
LINE_LIMIT = 4096
BYTE_LIMIT = 256 * 2**20
"""Most bytes of text that are read of a log, unpacked; the rest is left out and the record says so."""
LINE_COUNT = 300_000
MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
SAMPLE = 256
TIME = r"(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?Z?|\d{10}\.\d{3,6}"
PART = rf"(?:{TIME}|(?:global[ _])?rank[ _:]?\d{{1,4}}|default\d{{1,4}}|DEBUG|INFO|WARNING|ERROR)"
PREFIX = re.compile(rf"^(?:(?:\[{PART}\]|{PART}\b)(?::(?:root|__main__)\b)?(?: - | \| (?! +\d)|:(?: (?! ))?| )){{1,4}}")
"""`[2026-03-23 04:01:43] INFO: `, `[rank0]: `, `INFO:root:`, `1776142360.540 `."""


@dataclass
class Budget:
    """What may still be read, of one log or of all logs of a folder."""

    bytes: int = BYTE_LIMIT
    lines: int = LINE_COUNT


class Lines:
    """Decoded lines without prefixes: long ones cut, and no more of them than the budget has."""

    def __init__(self, file: BinaryIO | gzip.GzipFile, budget: Budget):
        self.file, self.budget = file, budget
        self.complete = True

    def __iter__(self) -> Iterator[str]:
        start = self.file.peek(SAMPLE)[:SAMPLE]  # type: ignore[union-attr]
        text = io.TextIOWrapper(self.file, encoding_of(start), "replace", newline="\n")
        try:
            while line := text.readline(LINE_LIMIT + 2):
                self.budget.bytes -= len(line)
                self.budget.lines -= 1
                if self.budget.bytes < 0 or self.budget.lines < 0:
                    self.complete = False
                    return
                yield bare(line.rstrip("\r\n"))
        finally:
            text.detach()


def encoding_of(start: bytes) -> str:
    """UTF-16 by its mark or by its zeros, else UTF-8."""
    for mark, name in MARKS:
        if start.startswith(mark):
            return name
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 4 > len(start) and min(even, odd) * 8 < len(start):
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8"


def bare(line: str) -> str:
    """A line without what stands before it."""
    return PREFIX.sub("", line, count=1) if line[:1] in "[0123456789rgdDIWE" else line
