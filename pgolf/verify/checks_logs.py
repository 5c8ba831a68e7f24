"""Checks of the training logs: complete, of this file, and with receipts of every plugin."""

from __future__ import annotations

import hashlib
import math

from pgolf.logs.parse import OTHER
from pgolf.verify.folder import View, printable
from pgolf.verify.registry import Outcome, check, passed, per_log, skipped, warned

NOT_BUILT = "is for folders that pgolf built; there is no pgolf.lock"


@check(
    "log.final",
    "FAIL",
    "the logs end with a final score; in a folder that pgolf built every log does, and has its sizes",
    "openai/parameter-golf#1133",
    "the log stops after the last step",
)
def check_final(view: View) -> Outcome:
    """A log that stops early is a run that failed; other people's folders may hold some beside good ones."""
    runs = view.evidence.runs
    if not runs:
        return skipped("there is no log of a run")
    problems = {}
    for name, record in runs.items():
        if record.family in ("", OTHER) and view.built:
            problems[name] = "is not a log of a known format"
        elif record.headline is None:
            problems[name] = "has no final score"
        elif not math.isfinite(float(record.headline.val_bpb)):
            problems[name] = "has a final score that is not a number"
        elif view.built and not record.finished:
            problems[name] = "has no total size"
    diverged = {name: text for name, text in problems.items() if runs[name].diverged}
    if diverged and not view.built and len(problems) < len(runs):
        found = per_log(diverged, "", without=problems)
        return warned(f"not all seeds ended in a number: {found.message}", **found.evidence)
    if problems and not view.built and len(problems) < len(runs):
        return passed(f"{len(runs) - len(problems)} of {len(runs)} logs end with a final score", without=problems)
    return per_log(problems, f"{len(runs)} logs are complete")


@check(
    "log.code", "FAIL", "the logs were made by the shipped file", "openai/parameter-golf#2124", "another code_sha256"
)
def check_code(view: View) -> Outcome:
    """`code_sha256` against the file; only pgolf's programs print one."""
    code, _ = view.code
    logs = view.logs if view.built else {name: run for name, run in view.logs.items() if run.code_sha256}
    if code is None or not logs:
        return skipped("needs a script and a log with a code_sha256")
    found = hashlib.sha256(code).hexdigest()
    problems = {
        name: f"was made by a file with sha256 {record.code_sha256[:16] or 'unknown'}..., shipped is {found[:16]}..."
        for name, record in logs.items()
        if record.code_sha256 != found
    }
    return per_log(problems, f"{len(logs)} logs were made by this file", sha256=found)


@check(
    "log.receipts",
    "FAIL",
    "every selected plugin did something in every run",
    "pgolf: every plugin proves that it fired",
    "no receipt of swa",
)
def check_receipts(view: View) -> Outcome:
    """A receipt line per plugin of the lock, and no others."""
    lock, _ = view.lock
    if lock is None or not view.logs:
        return skipped(NOT_BUILT if not view.built else "needs a readable pgolf.lock and a log")
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
