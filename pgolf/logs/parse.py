"""From lines to a record: which lines are steps, which are results, and where a new run begins."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from pgolf.logs.patterns import COUNT, NUMBER, RULES
from pgolf.logs.record import Calibration, FinalLine, Pair, RunRecord, TrainLine

# Longer lines are dumps, not results.
LINE_LIMIT = 4096
BYTE_LIMIT = 256 * 2**20
"""Most bytes of text that are read of a log, unpacked; the rest is left out and the record says so."""
LINE_COUNT = 300_000
MOST = 50_000
"""Most training steps, validation lines and pairs that are kept."""
EARLY = 3
HEADER_FIELDS = (
    *("family", "seed", "python", "pytorch", "code_sha256", "device", "gpus", "world_size", "iterations"),
    *(
        "max_wallclock_seconds",
        "val_tokens",
        "val_sha256",
        "model_params",
        "plugins",
        "hyperparameters",
        "lines",
        "bare_bpb",
    ),
)
"""What a second run in one file has in common with the first."""
PREFIX = re.compile(r"^\d{10}\.\d{3} ")
SOURCE = re.compile(r"\{|print\(|log0?\(")
STEP = re.compile(rf"^(?:step:)?(?P<step>{COUNT})/(?P<of>{COUNT}) (?:\[[^\]]{{0,80}}\] )?")
LOSS = re.compile(rf"\b(?:train_)?loss: ?(?P<loss>{NUMBER})")
TIME = re.compile(rf"(?:\btrain_time: ?|\bt:)(?P<time>{NUMBER})(?P<unit>ms|m|s)\b")
PAIR = re.compile(rf"val_loss: ?({NUMBER}) (?:\w{{1,20}} )?val_bpb: ?({NUMBER})")
BARE = re.compile(rf"val_bpb\"?: *({NUMBER})")
DONE = re.compile(rf"(?:\bdone\b|\bfinal|\bresult|\bmean\b).{{0,200}}?bpb\"?[:=] *({NUMBER})", re.IGNORECASE)
EVAL = re.compile(rf"\b(?!train_)(?:\w{{0,40}}time|elapsed)[:=] ?({NUMBER})(ms|s)\b")
MILLISECONDS = {"ms": 1.0, "s": 1000.0, "m": 60_000.0}
DIAGNOSTIC = re.compile(r"diagnostic|pre-?_?quant(?:ization)?\b|post[-_]?ema|warm-?up", re.IGNORECASE)
REMARK = re.compile(r":(?:\s|$)")
PROGRESS = re.compile(r"^\s*(?:ttt_chunk|ttp\b|ttt_progress|sliding_eval|eval: batch|tttg|ttpr|ngram_eval:progress)")
FAMILIES = (
    ("baseline", re.compile(r"step:\d+/\d+ (?:\[[^\]]*\] )?(?:train|val)_loss:|seed:\d+$|final_\w+ val_loss:")),
    ("table", re.compile(r"\d+/\d+ (?:train|val)_loss: |Hyperparameters:$")),
    ("compact", re.compile(r"step:\d+/\d+ loss:")),
)


class LogUnreadable(Exception):
    """A file that cannot be unpacked."""


def parse_log(text: str) -> RunRecord:
    """The record of a log; `family` is "" for a text that no family knows."""
    return parse_lines(text.splitlines())


def parse_lines(lines: Iterable[str]) -> RunRecord:
    """The same of lines, which may come from a file of any size."""
    record = RunRecord()
    for line in lines:
        record.lines += 1
        if record.lines > LINE_COUNT:
            record.complete = False
            break
        if line and len(line) <= LINE_LIMIT and not SOURCE.search(line):
            record = _take(record, PREFIX.sub("", line, count=1))
    return record


def _take(record: RunRecord, line: str) -> RunRecord:
    """Note what one line says; gives a new record where another run begins."""
    step = STEP.match(line)
    if not record.family or (step and record.family == "baseline"):
        record.family = next((name for name, sign in FAMILIES if sign.match(line)), record.family)
    if step:
        return _step(record, line, step)
    if ("bpb" in line or "BPB" in line) and _result(record, line):
        return record
    for word, pattern, action in RULES:
        if word in line:
            match = pattern.search(line)
            if match:
                action(record, match)
                break
    return record


def _step(record: RunRecord, line: str, match: re.Match[str]) -> RunRecord:
    step, of = int(match["step"]), int(match["of"])
    pair, loss, time = PAIR.search(line), LOSS.search(line, match.end()), TIME.search(line)
    if pair is None and loss is None:
        return record
    if _restarts(record, step):
        record = _next_run(record)
    milliseconds = float(time["time"]) * MILLISECONDS[time["unit"]] if time else None
    if milliseconds is not None and step > 0:
        record.stepped_ms = milliseconds
    if pair is not None:
        record.last_val = (step, milliseconds)
        _keep_pair(record, found := Pair(pair[1], pair[2], record.lines))
        if len(record.vals) < MOST:
            record.vals.append((step, found))
    elif loss is not None and len(record.train) < MOST:
        record.train.append(TrainLine(step, of, float(loss["loss"]), milliseconds or 0.0))
        if step <= EARLY:
            record.early[step] = loss["loss"]
    return record


def _restarts(record: RunRecord, step: int) -> bool:
    """Steps only grow; results come after the last one."""
    last = max(record.train[-1].step if record.train else -1, record.last_val[0] if record.last_val else -1)
    return step < last or (step == 0 and last == 0 and bool(record.finals))


def _next_run(record: RunRecord) -> RunRecord:
    """A record with the header of the last one and none of its results."""
    new = RunRecord(**{name: getattr(record, name) for name in HEADER_FIELDS})
    new.runs = record.runs + 1
    new.calibration = Calibration(reserved=record.calibration.reserved)
    return new


def _keep_pair(record: RunRecord, pair: Pair) -> None:
    if len(record.pairs) < MOST:
        record.pairs.append(pair)


def _result(record: RunRecord, line: str) -> bool:
    """A line with val_bpb that is not a step: a result, a diagnostic, or a number without its loss."""
    pair = PAIR.search(line)
    if pair is None or PROGRESS.match(line):
        bare = BARE.search(line) or (None if PROGRESS.match(line) else DONE.search(line))
        if bare is not None and len(record.bare_bpb) < MOST:
            record.bare_bpb.append(bare[1])
        return bare is not None
    before = line[: pair.start()].strip()
    if REMARK.search(before):
        return True
    exact = re.search(r"_exact\b", before) is not None
    time = EVAL.search(line, pair.end())
    eval_ms = float(time[1]) * MILLISECONDS[time[2]] if time else None
    final = FinalLine(before.replace("_exact", "", 1), pair[1], pair[2], exact, eval_ms)
    kept = record.diagnostics if DIAGNOSTIC.search(before) else record.finals
    if len(kept) < MOST:
        kept.append(final)
    _keep_pair(record, Pair(pair[1], pair[2], record.lines))
    return True


def read_log(source: Path | BinaryIO) -> RunRecord:
    """The record of a file, plain or gzipped, read line by line.

    Raises:
        LogUnreadable: for a damaged gzip file.
        OSError: when the file cannot be read.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return read_log(file)
    stream = BufferedReader(source) if not hasattr(source, "peek") else source  # type: ignore[type-var]
    packed = stream.peek(2)[:2] == b"\x1f\x8b"
    lines = Lines(gzip.GzipFile(fileobj=stream) if packed else stream)  # type: ignore[arg-type]
    try:
        record = parse_lines(lines)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise LogUnreadable(f"is not a complete gzip file: {error}") from None
    record.complete &= lines.complete
    return record


class Lines:
    """Decoded lines of a file: long ones cut, and no more than `BYTE_LIMIT` bytes of them."""

    def __init__(self, file: BinaryIO):
        self.file = file
        self.complete = True

    def __iter__(self) -> Iterator[str]:
        taken = 0
        while data := self.file.readline(LINE_LIMIT + 2):
            taken += len(data)
            if taken > BYTE_LIMIT:
                self.complete = False
                return
            yield data.decode("utf-8", errors="replace").rstrip("\r\n")
