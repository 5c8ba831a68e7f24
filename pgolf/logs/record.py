"""What one log says, as a typed record."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

MOST = 20_000
"""Most training steps, validation lines, results and receipts of one run that are kept."""
SIGNS = 5
EARLY_STEPS = 3
T = TypeVar("T")


class TrainLine(NamedTuple):
    """One training step as printed; time in milliseconds."""

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
    """A result after training; `exact` lines have more digits, and their twin has the time."""

    label: str
    val_loss: str
    val_bpb: str
    exact: bool
    eval_ms: float | None


class Stage(NamedTuple):
    """A part of a run of pgolf, in milliseconds of the run's clock; `data` is "train", "val" or "none"."""

    name: str
    begin_ms: float
    end_ms: float
    data: str


@dataclass
class Calibration:
    """Statistics that a quantizer collected: from what ("train", "self" or ""), for how long, and when."""

    source: str = ""
    seconds: float | None = None
    reserved: bool = False
    after_stop: bool = False


@dataclass
class RunRecord:
    """What a log says of one run; fields that it does not mention are None or empty.

    `runs` counts the runs of the file, `lines` its lines, and `signs` lines that speak of losses in no known format. A record
    is not `complete` where more was there than is kept.
    """

    family: str = ""
    seed: int | None = None
    python: str = ""
    pytorch: str = ""
    code_sha256: str = ""
    val_sha256: str = ""
    artifact_sha256: str = ""
    device: str = ""
    gpus: list[str] = field(default_factory=list)
    world_size: int | None = None
    iterations: int | None = None
    max_wallclock_seconds: float | None = None
    val_tokens: int | None = None
    model_params: int | None = None
    plugins: tuple[str, ...] = ()
    hyperparameters: dict[str, str] = field(default_factory=dict)
    peak_mib: int | None = None
    train: list[TrainLine] = field(default_factory=list)
    early: dict[int, str] = field(default_factory=dict)
    vals: list[tuple[int, Pair]] = field(default_factory=list)
    last_val: tuple[int, float | None] | None = None
    pairs: list[Pair] = field(default_factory=list)
    diagnostics: list[FinalLine] = field(default_factory=list)
    bare_bpb: list[str] = field(default_factory=list)
    stop_ms: float | None = None
    stop_step: int | None = None
    stepped_ms: float | None = None
    calibration: Calibration = field(default_factory=Calibration)
    stages: list[Stage] = field(default_factory=list)
    raw_model_bytes: int | None = None
    model_bytes: int | None = None
    model_format: str = ""
    code_bytes: int | None = None
    code_bytes_uncompressed: int | None = None
    labelled_total: int | None = None
    plain_totals: list[int] = field(default_factory=list)
    finals: list[FinalLine] = field(default_factory=list)
    total_eval_ms: float | None = None
    limited: bool = False
    receipts: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    runs: int = 1
    lines: int = 0
    signs: int = 0
    complete: bool = True

    def keep(self, kept: list[T], entry: T) -> None:
        """Add to one of the lists, as long as it is not too long."""
        if len(kept) < MOST:
            kept.append(entry)
        else:
            self.complete = False

    @property
    def total_bytes(self) -> int | None:
        """Code and compressed model: the labelled total, or the second of two that are not labelled."""
        if self.labelled_total is not None:
            return self.labelled_total
        plain = self.plain_totals
        return plain[-1] if len(plain) > 1 and plain[-1] < plain[0] else None

    @property
    def headline(self) -> FinalLine | None:
        """The last final line, or its twin with more digits."""
        if not self.finals:
            return None
        last = self.finals[-1]
        twins = [final for final in self.finals if final.label == last.label and final.exact]
        same = [twin for twin in twins if twin == last or _rounds(twin.val_bpb, last.val_bpb)]
        return same[-1] if same else last

    @property
    def eval_ms(self) -> float | None:
        """Evaluation time of the headline, from its twin, or the timer of all evaluation."""
        return self.time_of(self.headline)

    def time_of(self, final: FinalLine | None) -> float | None:
        """Evaluation time of one final line: of a line with its numbers, else of its label."""
        if final is None:
            return None
        timed = [line for line in self.finals if line.eval_ms is not None]
        twins = [
            line for line in timed if _rounds(final.val_bpb, line.val_bpb) and _rounds(final.val_loss, line.val_loss)
        ]
        same = twins or [line for line in timed if line.label == final.label]
        return same[-1].eval_ms if same else self.total_eval_ms

    @property
    def train_ms(self) -> float | None:
        """Training time: of the stop by wall clock, else of the last line that has one."""
        return self.stop_ms if self.stop_ms is not None else self.stepped_ms

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

    @property
    def fingerprint(self) -> tuple[object, ...] | None:
        """Equal for two logs of one run, however they are called and whatever else stands in them; None for too little."""
        if len(self.train) < EARLY_STEPS and not any(final.exact for final in self.finals):
            return None
        vals = tuple((step, pair.val_loss, pair.val_bpb) for step, pair in self.vals)
        return tuple(self.train), vals, tuple(self.finals), self.stop_ms

    @property
    def diverged(self) -> bool:
        """Did it end in a score that is no number?"""
        return self.headline is not None and not math.isfinite(float(self.headline.val_bpb))

    @property
    def looks_like_a_log(self) -> bool:
        """Is it no run that can be read, and yet full of losses?"""
        return not self.is_run and self.signs >= SIGNS

    @property
    def is_run(self) -> bool:
        """Is this the log of a run, or some other text?"""
        return bool(self.train or self.vals or self.finals or self.stop_ms is not None or self.total_bytes is not None)


def decimals(text: str) -> int:
    """Digits after the point."""
    return len(text.partition(".")[2])


def half_unit(text: str) -> float:
    """Half a unit of the last printed digit."""
    return float(0.5 * 10.0 ** -decimals(text))


def _rounds(precise: str, short: str) -> bool:
    """Is `short` the other number, as far as its digits go?"""
    return abs(float(precise) - float(short)) <= half_unit(short) * 1.001
