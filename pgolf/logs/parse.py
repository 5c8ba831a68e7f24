"""From lines to records: which lines are steps, which are results, and where a new run begins."""

from __future__ import annotations

import copy
import gzip
import json
import re
import zlib
from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from pgolf.logs.lines import LINE_LIMIT, Budget, Lines, bare
from pgolf.logs.patterns import COUNT, HEADER, MEASURES, NUMBER
from pgolf.logs.record import Calibration, FinalLine, Pair, RunRecord, TrainLine

EARLY = 3
MOST_RUNS = 64
HEADER_FIELDS = (
    *("family", "seed", "python", "pytorch", "code_sha256", "device", "gpus", "world_size", "iterations"),
    *("max_wallclock_seconds", "val_tokens", "val_sha256", "model_params", "plugins", "hyperparameters"),
)
"""What a second run in one file has in common with the first."""
SOURCE = re.compile(r"\{|print\(|log0?\(")
STEP = re.compile(rf"^(?:step:)?(?P<step>{COUNT})/(?P<of>{COUNT}) (?:\[[^\]]{{0,80}}\] )?")
OTHER_STEP = re.compile(rf"^(?:step|iter(?:ation)?)[ :=]{{1,2}}(?P<step>{COUNT})(?:/(?P<of>{COUNT}))?\b", re.IGNORECASE)
LOSS = re.compile(rf"\b(?:train_)?loss: ?(?P<loss>{NUMBER})")
OTHER_LOSS = re.compile(rf"\bloss[ :=|]{{1,3}}(?P<loss>{NUMBER})", re.IGNORECASE)
TIME = re.compile(rf"(?:\btrain_time: ?|\bt:)(?P<time>{NUMBER})(?P<unit>ms|m|s)\b")
PAIR = re.compile(rf"val_loss: ?({NUMBER}) (?:\w{{1,20}} )?val_bpb: ?({NUMBER})")
SHORT_PAIR = re.compile(rf"\bvl:({NUMBER}) bpb:({NUMBER})")
BARE = re.compile(rf"val_bpb\"?: *({NUMBER})")
SUMMARY = re.compile(r"\b(?:done\b|final|result|mean\b)", re.IGNORECASE)
VALUE = re.compile(rf"bpb\"?[:=] *({NUMBER})", re.IGNORECASE)
NEAR = 200
"""Most characters between a word of `SUMMARY` and the value that it speaks of."""
EVAL = re.compile(rf"\b(?!train_)(?:\w{{0,40}}time|elapsed)[:=] ?({NUMBER})(ms|s)\b")
MILLISECONDS = {"ms": 1.0, "s": 1000.0, "m": 60_000.0}
DIAGNOSTIC = re.compile(r"diagnostic|pre-?_?quant(?:ization)?\b|post[-_]?ema|warm-?up", re.IGNORECASE)
REMARK = re.compile(r":(?:\s|$)")
PROGRESS = re.compile(r"^\s*(?:ttt_chunk|ttp\b|ttt_progress|sliding_eval|eval: batch|tttg|ttpr|ngram_eval:progress)")
SIGN = re.compile(r"\b(?:loss|bpb|ppl|perplexity|epoch|iter|step)\b", re.IGNORECASE)
DIGIT = re.compile(r"\d")
OTHER = "other"
"""The family of a log whose steps are written otherwise than by the contest's scripts."""
FAMILIES = (
    ("baseline", re.compile(r"step:\d+/\d+ (?:\[[^\]]*\] )?(?:train|val)_loss:|seed:\d+$|final_\w+ val_loss:")),
    ("table", re.compile(r"\d+/\d+ (?:train|val)_loss: |Hyperparameters:$")),
    ("compact", re.compile(r"step:\d+/\d+ loss:")),
)


class LogUnreadable(Exception):
    """A file that cannot be unpacked."""


def parse_log(text: str) -> RunRecord:
    """The record of a log's last run; `family` is "" for a text that no family knows."""
    return parse_runs(map(bare, text.splitlines()))[-1]


def parse_runs(lines: Iterable[str]) -> list[RunRecord]:
    """The finished runs of one file in their order, or its last run where none is finished."""
    parser = Parser()
    for line in lines:
        parser.take(line)
    return parser.ended()


class Parser:
    """Reads one file line by line.

    Header lines that follow results may be those of the next run: they wait until its first step says so.
    """

    def __init__(self) -> None:
        self.record = RunRecord()
        self.finished: list[RunRecord] = []
        self.header: RunRecord | None = None
        self.lines = 0
        self.complete = True

    def ended(self) -> list[RunRecord]:
        """All finished runs, and the last one where there is no other."""
        self._adopt_header(self.record)
        runs = [*self.finished]
        if self.record.finals or not runs:
            runs.append(self.record)
        for run in runs:
            run.lines, run.runs, run.complete = self.lines, self.record.runs, run.complete and self.complete
        return runs

    def take(self, line: str) -> None:
        """Note what one line says."""
        self.lines += 1
        if not line or len(line) > LINE_LIMIT:
            return
        line = _of_json(line) if line[0] == "{" else line
        if not SOURCE.search(line):
            self._take(line)

    def _take(self, line: str) -> None:
        record = self.record
        step = STEP.match(line)
        if not record.family or (step and record.family == "baseline"):
            record.family = next((name for name, sign in FAMILIES if sign.match(line)), record.family)
        if step is None and (record.family in ("", OTHER) or not record.train):
            step = OTHER_STEP.match(line)
            record.signs += bool(record.family == "" and SIGN.search(line) and DIGIT.search(line))
        if step:
            self._step(line, step)
            return
        if ("bpb" in line or "BPB" in line) and self._result(line):
            return
        for rules, header in ((MEASURES, False), (HEADER, True)):
            for word, pattern, action in rules:
                match = pattern.search(line) if word in line else None
                if match:
                    action(self._header() if header else record, match)
                    return

    def _header(self) -> RunRecord:
        """Where a header line goes."""
        if not self.record.finals:
            return self.record
        if self.header is None:
            self.header = RunRecord()
            _copy_header(self.record, self.header)
        return self.header

    def _adopt_header(self, record: RunRecord) -> None:
        if self.header is not None:
            _copy_header(self.header, record)
        self.header = None

    def _next_run(self) -> None:
        """Go on with a record that has the header of the last one and none of its results."""
        last, new = self.record, RunRecord()
        _copy_header(self.header or last, new)
        self.header = None
        new.runs = last.runs + 1
        new.calibration = Calibration(reserved=last.calibration.reserved)
        if not last.finals:
            new.bare_bpb = last.bare_bpb
        elif len(self.finished) < MOST_RUNS:
            self.finished.append(last)
        else:
            self.complete = False
        self.record = new

    def _step(self, line: str, match: re.Match[str]) -> None:
        step, of = int(match["step"]), int(match["of"] or match["step"])
        pair, time = _pair(line), TIME.search(line)
        loss = LOSS.search(line, match.end()) or (
            OTHER_LOSS.search(line, match.end()) if match.re is OTHER_STEP else None
        )
        if pair is None and loss is None:
            return
        if _restarts(self.record, step):
            self._next_run()
        record = self.record
        if match.re is OTHER_STEP:
            record.family = OTHER
        milliseconds = float(time["time"]) * MILLISECONDS[time["unit"]] if time else None
        if milliseconds is not None and step > 0:
            record.stepped_ms = milliseconds
        if pair is not None:
            record.last_val = (step, milliseconds)
            found = Pair(*pair, self.lines)
            record.keep(record.pairs, found)
            record.keep(record.vals, (step, found))
        elif loss is not None:
            record.keep(record.train, TrainLine(step, of, float(loss["loss"]), milliseconds or 0.0))
            if step <= EARLY:
                record.early[step] = loss["loss"]

    def _result(self, line: str) -> bool:
        """A line with val_bpb that is not a step: a result, a diagnostic, or a number without its loss."""
        pair, progress = PAIR.search(line) or SHORT_PAIR.search(line), PROGRESS.match(line)
        if pair is None or progress:
            value = _bare(line, progress is not None)
            if value is not None:
                self.record.keep(self.record.bare_bpb, value)
            return value is not None
        before = line[: pair.start()].strip()
        if REMARK.search(before):
            return True
        exact = re.search(r"_exact\b", before) is not None
        time = EVAL.search(line, pair.end())
        eval_ms = float(time[1]) * MILLISECONDS[time[2]] if time else None
        final = FinalLine(before.replace("_exact", "", 1), pair[1], pair[2], exact, eval_ms)
        diagnostic = DIAGNOSTIC.search(before) is not None
        if not diagnostic and self.header is not None and self.header.seed != self.record.seed:
            self._next_run()  # a result of another seed, without a step of its own
        record = self.record
        record.keep(record.diagnostics if diagnostic else record.finals, final)
        record.keep(record.pairs, Pair(pair[1], pair[2], self.lines))
        return True


def _pair(line: str) -> tuple[str, str] | None:
    match = PAIR.search(line) or SHORT_PAIR.search(line)
    return (match[1], match[2]) if match else None


def _bare(line: str, progress: bool) -> str | None:
    """A val_bpb without its loss, or a value near a word that sums up."""
    match = BARE.search(line)
    if match is None and not progress:
        word = SUMMARY.search(line)
        while word is not None and match is None:
            match = VALUE.search(line, word.end())
            if match is None:
                return None
            if match.start() - word.end() > NEAR:
                word, match = SUMMARY.search(line, max(word.end(), match.start() - NEAR - 8)), None
    return match[1] if match else None


def _of_json(line: str) -> str:
    """An object of one line as the line of a log; what is none stays as it is."""
    try:
        found = json.loads(line, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return line
    if not isinstance(found, dict):
        return line
    values = {key: value for key, value in found.items() if isinstance(value, str) and len(value) < 40}
    loss = values.get("train_loss", values.get("loss"))
    if "val_loss" in values and "val_bpb" in values:
        text = f"val_loss:{values['val_loss']} val_bpb:{values['val_bpb']}"
    elif loss is not None and "step" in values:
        text = f"train_loss:{loss}"
    else:
        return f"seed:{values['seed']}" if "seed" in values and "step" not in values else line
    name = next((values[key] for key in ("event", "name", "type") if key in values), "result")
    return f"step {values['step']} {text}" if "step" in values else f"{name} {text}"


def _restarts(record: RunRecord, step: int) -> bool:
    """Steps only grow; results come after the last one."""
    last = max(record.train[-1].step if record.train else -1, record.last_val[0] if record.last_val else -1)
    return step < last or (step == 0 and last == 0 and bool(record.finals))


def _copy_header(source: RunRecord, target: RunRecord) -> None:
    for name in HEADER_FIELDS:
        setattr(target, name, copy.copy(getattr(source, name)))


def read_log(source: Path | BinaryIO) -> RunRecord:
    """The record of a file's last run; see `read_runs`."""
    return read_runs(source)[-1]


def read_runs(source: Path | BinaryIO, budget: Budget | None = None) -> list[RunRecord]:
    """The runs of a file, plain or gzipped, read line by line; what is beyond the budget is left out, and `complete` says so.

    Raises:
        LogUnreadable: for a damaged gzip file.
        OSError: when the file cannot be read.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return read_runs(file, budget)
    stream = BufferedReader(source) if not hasattr(source, "peek") else source  # type: ignore[type-var]
    packed = stream.peek(2)[:2] == b"\x1f\x8b"
    lines = Lines(gzip.GzipFile(fileobj=stream) if packed else stream, budget or Budget())  # type: ignore[arg-type]
    try:
        runs = parse_runs(lines)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise LogUnreadable(f"is not a complete gzip file: {error}") from None
    for run in runs:
        run.complete &= lines.complete
    return runs
