"""Training logs as typed records.

A log belongs to a *family*: scripts that print alike. A family is a table of (pattern, what to do with a match); the
runtime prints in the public baseline's format, and further families are further tables in `FAMILIES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

# Longer lines are dumps, not results.
LINE_LIMIT = 4096
NUMBER = r"(?:\d+(?:\.\d+)?|nan|inf)"


class TrainLine(NamedTuple):
    """`step:S/N train_loss:..`; time in milliseconds."""

    step: int
    of: int
    loss: float
    train_ms: float


class Pair(NamedTuple):
    """A val_loss with its val_bpb as printed, so that their digits are known; `line` counts from 1."""

    val_loss: str
    val_bpb: str
    line: int


class FinalLine(NamedTuple):
    """A result after training; `exact` lines have eight digits, and their twin has the time."""

    label: str
    val_loss: str
    val_bpb: str
    exact: bool
    eval_ms: float | None


@dataclass
class RunRecord:
    """What one log says; fields that it does not mention are None or empty."""

    family: str = ""
    seed: int | None = None
    python: str = ""
    pytorch: str = ""
    code_sha256: str = ""
    device: str = ""
    gpus: list[str] = field(default_factory=list)
    world_size: int | None = None
    iterations: int | None = None
    max_wallclock_seconds: float | None = None
    val_tokens: int | None = None
    model_params: int | None = None
    plugins: tuple[str, ...] = ()
    train: list[TrainLine] = field(default_factory=list)
    last_val: tuple[int, float] | None = None
    pairs: list[Pair] = field(default_factory=list)
    stop_ms: float | None = None
    stop_step: int | None = None
    model_bytes: int | None = None
    model_format: str = ""
    code_bytes: int | None = None
    total_bytes: int | None = None
    finals: list[FinalLine] = field(default_factory=list)
    receipts: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    lines: int = 0

    @property
    def headline(self) -> FinalLine | None:
        """The last exact final line, or the last final line where none is exact."""
        exact = [final for final in self.finals if final.exact]
        chosen = exact or self.finals
        return chosen[-1] if chosen else None

    @property
    def eval_ms(self) -> float | None:
        """Evaluation time of the headline, from its twin."""
        if self.headline is None:
            return None
        times = [
            final.eval_ms for final in self.finals if final.label == self.headline.label and final.eval_ms is not None
        ]
        return times[-1] if times else None

    @property
    def train_ms(self) -> float | None:
        """Training time: of the stop by wall clock, else of the last line that has one."""
        if self.stop_ms is not None:
            return self.stop_ms
        if self.last_val is not None:
            return self.last_val[1]
        return self.train[-1].train_ms if self.train else None

    @property
    def steps(self) -> int | None:
        """Steps that were trained."""
        if self.stop_step is not None:
            return self.stop_step
        if self.last_val is not None:
            return self.last_val[0]
        return self.train[-1].step if self.train else None

    @property
    def hardware(self) -> str:
        """`8x NVIDIA H100 80GB HBM3`, or what the log says of a machine without one."""
        if self.gpus:
            return f"{self.world_size or len(self.gpus)}x {self.gpus[0]}"
        return self.device

    @property
    def finished(self) -> bool:
        """Did the run get as far as a size and a final score?"""
        return self.headline is not None and self.total_bytes is not None


Rule = tuple[re.Pattern[str], Callable[[RunRecord, re.Match[str]], None]]


class Family(NamedTuple):
    """Scripts that print alike: `sign` is a pattern that only their logs match."""

    name: str
    sign: re.Pattern[str]
    rules: tuple[Rule, ...]


def _text(name: str) -> Callable[[RunRecord, re.Match[str]], None]:
    return lambda record, match: setattr(record, name, match[1].strip())


def _int(name: str) -> Callable[[RunRecord, re.Match[str]], None]:
    return lambda record, match: setattr(record, name, int(match[1]))


def _budget(record: RunRecord, match: re.Match[str]) -> None:
    record.iterations, record.max_wallclock_seconds = int(match[1]), float(match[2])


def _train(record: RunRecord, match: re.Match[str]) -> None:
    record.train.append(TrainLine(int(match[1]), int(match[2]), float(match[3]), float(match[4])))


def _val(record: RunRecord, match: re.Match[str]) -> None:
    record.last_val = (int(match[1]), float(match[5]))
    record.pairs.append(Pair(match[3], match[4], record.lines))


def _stop(record: RunRecord, match: re.Match[str]) -> None:
    record.stop_ms, record.stop_step = float(match[1]), int(match[2])


def _model(record: RunRecord, match: re.Match[str]) -> None:
    record.model_format, record.model_bytes = match[1], int(match[2])


def _diagnostic(record: RunRecord, match: re.Match[str]) -> None:
    record.pairs.append(Pair(match[1], match[2], record.lines))


def _final(record: RunRecord, match: re.Match[str]) -> None:
    label, exact = match[1].removesuffix("_exact"), match[1].endswith("_exact")
    eval_ms = float(match[4]) if match[4] else None
    record.finals.append(FinalLine(label, match[2], match[3], exact, eval_ms))
    record.pairs.append(Pair(match[2], match[3], record.lines))


def _receipt(record: RunRecord, match: re.Match[str]) -> None:
    record.receipts[match[1]] = match[2].strip()


def _error(record: RunRecord, match: re.Match[str]) -> None:
    record.errors.append(match[0].strip())


def _rules(*rules: tuple[str, Callable[[RunRecord, re.Match[str]], None]]) -> tuple[Rule, ...]:
    return tuple((re.compile(pattern), action) for pattern, action in rules)


def _plugins(record: RunRecord, match: re.Match[str]) -> None:
    record.plugins = tuple(match[1].split())


def _gpu(record: RunRecord, match: re.Match[str]) -> None:
    record.gpus.append(match[1])


BASELINE_FAMILY = Family(
    "baseline",
    re.compile(r"^step:\d+/\d+ (?:train|val)_loss:|^seed:\d+$|^final_\w+ val_loss:", re.MULTILINE),
    _rules(
        (r"^Running Python (\S+)", _text("python")),
        (r"^Running PyTorch (\S+)", _text("pytorch")),
        (r"^code_sha256:([0-9a-f]{64})$", _text("code_sha256")),
        (r"^hardware:(.+)$", _text("device")),
        (r"^\|\s+\d+\s+(NVIDIA [\w .-]+?)\s+(?:On|Off)\s+\|", _gpu),
        (r"^plugins:(.*)$", _plugins),
        (r"^world_size:(\d{1,6}) ", _int("world_size")),
        (r"^seed:(\d{1,19})$", _int("seed")),
        (rf"^train_batch_tokens:.* iterations:(\d{{1,12}}) .*max_wallclock_seconds:({NUMBER})", _budget),
        (r"^val_loader:shards .*tokens:(\d{1,15})$", _int("val_tokens")),
        (r"^model_params:(\d{1,15})$", _int("model_params")),
        (rf"^step:(\d{{1,12}})/(\d{{1,12}}) train_loss:({NUMBER}) train_time:({NUMBER})ms", _train),
        (rf"^step:(\d{{1,12}})/(\d{{1,12}}) val_loss:({NUMBER}) val_bpb:({NUMBER}) train_time:({NUMBER})ms", _val),
        (rf"^stopping_early: wallclock_cap train_time:({NUMBER})ms step:(\d{{1,12}})/", _stop),
        (r"^Serialized model (\S+): (\d{1,15}) bytes$", _model),
        (r"^Code size: (\d{1,15}) bytes$", _int("code_bytes")),
        (r"^Total submission size \S+: (\d{1,15}) bytes$", _int("total_bytes")),
        (rf"^diagnostic .*val_loss:({NUMBER}) val_bpb:({NUMBER})", _diagnostic),
        (rf"^(final_\w+) val_loss:({NUMBER}) val_bpb:({NUMBER})(?: eval_time:({NUMBER})ms)?$", _final),
        (r"^receipt (\w+): (.+)$", _receipt),
        (r"^error: .+$", _error),
    ),
)
FAMILIES: tuple[Family, ...] = (BASELINE_FAMILY,)


def parse_log(text: str) -> RunRecord:
    """The record of a log; `family` is "" for a text that no family knows.

    Lines with braces or calls are source that a script has printed of itself, and look like results.
    """
    family = next((family for family in FAMILIES if family.sign.search(text)), None)
    record = RunRecord(family=family.name if family else "")
    rules = family.rules if family else BASELINE_FAMILY.rules
    for line in text.splitlines():
        record.lines += 1
        if len(line) > LINE_LIMIT or "{" in line or "print(" in line or "log0(" in line:
            continue
        for pattern, action in rules:
            match = pattern.match(line)
            if match:
                action(record, match)
                break
    return record
