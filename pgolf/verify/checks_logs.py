"""Checks of the training logs: complete, of this file, with receipts, within the limits, and consistent."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter

from pgolf.logs import Pair, RunRecord
from pgolf.verify.folder import View, printable
from pgolf.verify.registry import Outcome, check, per_log, skipped, violated

ALLOWANCE_SECONDS = 0.5
"""The clock is read after the step that passes the limit."""
RATIO_TOLERANCE = 1e-4
"""Windows of different lengths leave out different tails; a wrong byte count is off by far more."""


@check("log.final", "FAIL", "every log ends with sizes and a final score", "openai/parameter-golf#1133")
def check_final(view: View) -> Outcome:
    """A log that stops early is a run that failed."""
    if not view.logs:
        return skipped("there is no log")
    problems = {}
    for name, record in view.logs.items():
        if not record.family:
            problems[name] = "is not a log of a known format"
        elif not record.finished:
            problems[name] = "has no final score" if record.headline is None else "has no total size"
        elif record.headline is not None and not math.isfinite(float(record.headline.val_bpb)):
            problems[name] = "has a final score that is not a number"
    return per_log(problems, f"{len(view.logs)} logs are complete")


@check("log.code", "FAIL", "the logs were made by the shipped file", "openai/parameter-golf#2124")
def check_code(view: View) -> Outcome:
    """`code_sha256` against the file."""
    code, _ = view.code
    if code is None or not view.logs:
        return skipped("needs train_gpt.py and a log")
    found = hashlib.sha256(code).hexdigest()
    problems = {
        name: f"was made by a file with sha256 {record.code_sha256[:16] or 'unknown'}..., shipped is {found[:16]}..."
        for name, record in view.logs.items()
        if record.code_sha256 != found
    }
    return per_log(problems, f"{len(view.logs)} logs were made by this file", sha256=found)


@check(
    "log.receipts",
    "FAIL",
    "every selected plugin did something in every run",
    "pgolf: every plugin proves that it fired",
)
def check_receipts(view: View) -> Outcome:
    """A receipt line per plugin of the lock, and no others."""
    lock, _ = view.lock
    if lock is None or not view.logs:
        return skipped("needs a pgolf.lock and a log")
    wanted, problems = set(lock.plugins), {}
    for name, record in view.logs.items():
        missing = sorted(wanted - set(record.receipts))
        extra = sorted((set(record.receipts) | set(record.plugins)) - wanted)
        errors = [line for line in record.errors if "plugin" in line]
        if errors:
            problems[name] = printable(errors[0])
        elif missing:
            problems[name] = f"no receipt of {printable(', '.join(missing))}"
        elif extra:
            problems[name] = f"{printable(', '.join(extra))} ran and is not in the lock"
    return per_log(problems, f"{len(wanted)} plugins have receipts in {len(view.logs)} logs")


@check("log.seeds", "FAIL", "logs are of different seeds, and are called after them", "openai/parameter-golf#2139")
def check_seeds(view: View) -> Outcome:
    """One run must not count twice."""
    records = {name: record for name, record in view.logs.items() if record.seed is not None}
    if not records:
        return skipped("no log names its seed")
    counts = Counter(record.seed for record in records.values())
    problems = {}
    for name, record in records.items():
        named = re.search(r"seed_?(\d+)", name)
        if counts[record.seed] > 1:
            problems[name] = f"seed {record.seed} has {counts[record.seed]} logs"
        elif named and int(named[1]) != record.seed:
            problems[name] = f"is of seed {record.seed}"
    return per_log(problems, f"seeds {', '.join(str(seed) for seed in sorted(counts, key=str))}")


def _timed(view: View) -> dict[str, RunRecord]:
    """Logs of runs with a wall-clock budget: the limits are for these."""
    return {name: record for name, record in view.logs.items() if record.max_wallclock_seconds}


@check("time.train", "FAIL", "training ends within the limit", "challenge README; openai/parameter-golf#1908")
def check_train_time(view: View) -> Outcome:
    """Milliseconds at the stop."""
    return _time(view, view.challenge.train_seconds, "train_ms", "training")


@check(
    "time.eval", "FAIL", "the final evaluation ends within the limit", "challenge README; openai/parameter-golf#1972"
)
def check_eval_time(view: View) -> Outcome:
    """The timer of the headline."""
    return _time(view, view.challenge.eval_seconds, "eval_ms", "evaluation")


def _time(view: View, limit: float, key: str, what: str) -> Outcome:
    timed = _timed(view)
    if not timed:
        return skipped("no run had a wall-clock budget")
    seconds = {name: getattr(record, key) for name, record in timed.items()}
    problems = {}
    for name, milliseconds in seconds.items():
        if milliseconds is None:
            problems[name] = f"gives no time of the {what}"
        elif not milliseconds / 1000.0 <= limit + ALLOWANCE_SECONDS:
            problems[name] = f"{what} took {milliseconds / 1000.0:.1f} s; the limit is {limit:g} s"
    return per_log(problems, f"{what} took at most {limit:g} s in {len(timed)} logs", milliseconds=seconds)


def bytes_per_token(pair: Pair) -> tuple[float, float]:
    """(value, relative uncertainty) of val_loss / (ln 2 * val_bpb), from the digits that are printed."""
    loss, bpb = float(pair.val_loss), float(pair.val_bpb)
    error = _half_unit(pair.val_loss) / loss + _half_unit(pair.val_bpb) / bpb
    return loss / math.log(2.0) / bpb, error


def _half_unit(text: str) -> float:
    return float(0.5 * 10.0 ** -len(text.partition(".")[2]))


def _usable(pair: Pair) -> bool:
    values = float(pair.val_loss), float(pair.val_bpb)
    return all(math.isfinite(value) and value > 0 for value in values)


@check(
    "val.identity",
    "FAIL",
    "val_loss and val_bpb of a log always give the same bytes per token",
    "openai/parameter-golf#897, #1804",
)
def check_identity(view: View) -> Outcome:
    """The byte count is a fact of the validation set, so a pair that disagrees was not computed from it."""
    problems, values = {}, {}
    for name, record in view.logs.items():
        pairs = [pair for pair in record.pairs if _usable(pair)]
        if not pairs:
            continue
        best = min(pairs, key=lambda pair: bytes_per_token(pair)[1])
        value, error = bytes_per_token(best)
        values[name] = value
        for pair in pairs:
            other, other_error = bytes_per_token(pair)
            if abs(other / value - 1.0) > error + other_error + RATIO_TOLERANCE:
                problems[name] = (
                    f"line {pair.line} gives {other:.5f} bytes per token, line {best.line} gives {value:.5f}"
                )
                break
    if not values:
        return skipped("no log has a val_loss with its val_bpb")
    spread = max(values.values()) / min(values.values()) - 1.0
    if not problems and spread > 2 * RATIO_TOLERANCE:
        return violated(f"the logs disagree on bytes per token by {spread:.2%}", bytes_per_token=values)
    return per_log(problems, f"{next(iter(values.values())):.5f} bytes per token throughout", bytes_per_token=values)
