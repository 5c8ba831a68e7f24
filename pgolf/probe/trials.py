"""What one execution of a script left behind: scores, where they went, what it learnt from, what it printed and wrote.

All of it was written by a process that foreign code ran in: it is read as data, and bounded.
"""

from __future__ import annotations

import itertools
import json
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RECORD_LIMIT = 256 * 2**20
PRINTED_LIMIT = 4 * 2**20
LATE = 124
POSITIONS = 2**22
"""More than a position, or a birth that is compared, may be."""
EVENTS: dict[str, dict[str, type]] = {
    "gradient": {"positions": list, "leaves": list},
    "step": {"positions": list, "leaves": list},
    "compare": {"positions": int, "some": list, "births": list, "number": int},
    "write": {"name": str},
    "open": {"what": str},
    "network": {"what": str},
}
"""Kind of an event -> what it has besides `at` and `line`."""
LEAST = 8
"""Fewest positions of a number that may be a claim."""
NO_ARCHIVE = (zipfile.BadZipFile, zlib.error, EOFError)
"""What numpy raises for a damaged archive besides ValueError."""
SAID = r"(?:\s?\([a-z0-9_+ ,-]{1,24}\))?[\"']?\s{0,4}(?:[:=|]|[-=]>|~|is)?\s{0,4}(\d+\.\d+)"
LOSS = re.compile(rf"(?:val(?:idation)?|eval)[_ /.-]?(?:loss|nll){SAID}", re.IGNORECASE)
BPB = re.compile(rf"(?:bpb|bits[_ -]per[_ -]byte){SAID}", re.IGNORECASE)
Numbers = NDArray[np.float64]
Places = NDArray[np.int64]


class BadRecord(Exception):
    """A record that cannot be read; the message says why."""


BAD = (
    BadRecord,
    *NO_ARCHIVE,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    OverflowError,
    MemoryError,
    OSError,
)
"""What reading a record that somebody made up may raise."""


@dataclass(frozen=True)
class Ledger:
    """The scores that one printed number is made of, in the order in which they were added.

    Attributes:
        at: when it was printed.
        value, text: the number.
        births: index of each score's birth.
        positions: its position in the stream.
        scores: nats of each, as part of the number: all of them would be the number if it was their mean.
        share: what they had to be multiplied by for that; 1 where the number is their mean, or where that is not known.
        weights: factor of each in the number, after it was summed up.
        lines: where the script summed up.
    """

    at: int
    value: float
    text: str
    births: Places
    positions: Places
    scores: Numbers
    weights: Numbers
    share: float
    lines: tuple[int, ...]

    @cached_property
    def first(self) -> dict[int, int]:
        """position -> its first place in the ledger."""
        found: dict[int, int] = {}
        for place, position in enumerate(self.positions.tolist()):
            found.setdefault(position, place)
        return found


@dataclass
class Trial:
    """One execution.

    Attributes:
        name: of the trial.
        error: how it ended, "" where it ended well.
        seconds, memory: wall clock and bytes.
        births: [5, n]: position, nats of the distribution that it was picked from, digest of that distribution, event, line.
        events: what happened, in order.
        printed: what the script printed.
        artifacts: file name -> SHA-256.
        choices: birth -> the call that chose it among several scores.
    """

    name: str
    error: str
    seconds: float = 0.0
    memory: int = 0
    births: Numbers = field(default_factory=lambda: np.zeros((5, 0)))
    events: list[dict[str, Any]] = field(default_factory=list)
    ledgers: list[Ledger] = field(default_factory=list)
    printed: str = ""
    artifacts: dict[str, str] = field(default_factory=dict)
    choices: dict[int, str] = field(default_factory=dict)

    @cached_property
    def claim(self) -> Ledger | None:
        """The ledger of the last score that was printed as the result."""
        whole = [ledger for ledger in self.ledgers if len(ledger.first) >= LEAST]
        for pattern in (LOSS, BPB):
            found = pattern.findall(self.printed)
            for ledger in reversed(whole):
                if found and ledger.text == found[-1]:
                    return ledger
        return None

    @cached_property
    def claimed(self) -> tuple[float, float] | None:
        """(val_loss, val_bpb) of the last line that has both."""
        for line in reversed(self.printed.splitlines()):
            loss, bpb = LOSS.search(line), BPB.search(line)
            if loss and bpb and float(bpb[1]) > 0:
                return float(loss[1]), float(bpb[1])
        return None

    @property
    def ended(self) -> bool:
        """Did it run to an end of its own, good or bad?"""
        return self.seconds > 0 and "did not end in time" not in self.error

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Events of a kind."""
        return [event for event in self.events if event.get("kind") == kind]


def read_trial(name: str, folder: Path) -> Trial:
    """The record of a trial; a missing one is an error of the trial."""
    outcome = small_json(folder / "outcome.json")
    seconds, memory = (number_of(outcome.get(key)) for key in ("seconds", "memory"))
    printed = folder / "printed.txt"
    text = bounded(printed, PRINTED_LIMIT).decode("utf-8", errors="replace")
    if not outcome:
        return Trial(name, "was not run: time was up, or the sandbox ended before", printed=text)
    try:
        record = small_json(folder / "record.json")
        if not record:
            status = outcome.get("status")
            why = "did not end in time" if status == LATE else f"ended with status {status} and no record"
            return Trial(name, why, seconds, int(memory), printed=text)
        trial = Trial(name, str(record.get("error", ""))[:400], seconds, int(memory), printed=text)
        return filled(trial, record, folder)
    except BAD as error:
        return Trial(name, f"left a record that cannot be read: {str(error)[:100]}", seconds, int(memory), printed=text)


def filled(trial: Trial, record: dict[str, Any], folder: Path) -> Trial:
    """A trial with its record."""
    path = folder / "record.npz"
    if path.is_symlink() or path.stat().st_size > RECORD_LIMIT:
        raise BadRecord("it is too large")
    # Of a file that is no archive, numpy would leave its own handle open.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        births = np.asarray(arrays["births"], np.float64)
        if births.ndim != 2 or births.shape[0] != 5:
            raise BadRecord("births have another shape")
        if not np.isfinite(births[[0, 3, 4]]).all() or not ((births[0] >= -1) & (births[0] < POSITIONS)).all():
            raise BadRecord("births have other positions")
        trial.births = births
        for number, report in enumerate(record["reports"]):
            trial.ledgers.append(ledger_from(report, np.asarray(arrays[f"report{number}"], np.float64), births))
    trial.events = list(map(checked, record["events"]))
    trial.artifacts = {str(key): str(value) for key, value in record["artifacts"].items()}
    trial.choices = {int(key): str(value)[:80] for key, value in record["choices"].items()}
    return trial


def number_of(value: Any) -> float:
    """A number, 0 for anything else."""
    return float(value) if type(value) in (int, float) and 0 <= value < 1e15 else 0.0


def checked(event: Any) -> dict[str, Any]:
    """An event with what its kind has.

    Raises:
        BadRecord: for anything else.
    """
    fields = EVENTS.get(event["kind"])
    good = fields is not None and all(
        type(event[name]) is kind for name, kind in {**fields, "at": int, "line": int}.items()
    )
    numbers = itertools.chain.from_iterable(event.get(name, ()) for name in ("some", "births"))
    if not good or not all(type(number) is int and 0 <= number < POSITIONS for number in numbers):
        raise BadRecord("an event of no kind")
    if isinstance(event.get("positions"), list) and not all(type(number) is int for number in event["positions"]):
        raise BadRecord("an event at no position")
    if not all(isinstance(leaf, list) and all(type(size) is int for size in leaf) for leaf in event.get("leaves", ())):
        raise BadRecord("an event of no tensors")
    found: dict[str, Any] = event
    return found


def ledger_from(report: dict[str, Any], rows: Numbers, births: Numbers) -> Ledger:
    """One printed number."""
    if not np.isfinite(rows[0]).all():
        raise BadRecord("a score that is no number")
    index = rows[0].astype(np.int64)
    if len(index) and (index.min() < 0 or index.max() >= births.shape[1]):
        raise BadRecord("a score of no birth")
    positions = births[0][index].astype(np.int64)
    lines = tuple(int(line) for line in report["lines"])
    scores, share = as_nats(rows[1] * rows[2] * max(len(np.unique(positions)), 1), births[1][index])
    value = float(report["value"])
    return Ledger(int(report["at"]), value, str(report["text"]), index, positions, scores, rows[2], share, lines)


def as_nats(parts: Numbers, own: Numbers) -> tuple[Numbers, float]:
    """Scores without a factor that all have against their own distribution (bits, or a mean of more), and the factor."""
    usable = own > 1e-9
    if not usable.any():
        return parts, 1.0
    low, middle, high = np.quantile(parts[usable] / own[usable], (0.25, 0.5, 0.75))
    if high - low > 1e-3 * abs(middle) or middle <= 0:
        return parts, 1.0
    return parts / middle, float(middle)


def small_json(path: Path) -> dict[str, Any]:
    """An object, {} where there is none."""
    try:
        found = json.loads(bounded(path, 64 * 2**20) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def bounded(path: Path, most: int) -> bytes:
    """The first bytes of a regular file, none where there is no such file."""
    if path.is_symlink() or not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(most)
