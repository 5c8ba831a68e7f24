"""Checks of the numbers in a folder that pgolf built: there the claim is the logs' own, to the last digit."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping
from typing import Any

from pgolf.logs import RunRecord
from pgolf.verify.claims import is_number, value_of
from pgolf.verify.folder import View, printable
from pgolf.verify.registry import Outcome, check, per_log, skipped, violated

MIN_DIGITS = 4
LARGEST = 1e100
NOT_BUILT = "is for folders that pgolf built; there is no pgolf.lock"


def tolerance(value: float) -> float:
    """Half a unit of the last digit that a number is written with; at least four digits are expected."""
    text = repr(value)
    digits = len(text.partition(".")[2]) if "e" not in text else 12
    return 0.5 * 10.0 ** -max(digits, MIN_DIGITS) * 1.001


def agrees(claimed: Any, wanted: float) -> bool:
    """Is a claimed number the wanted one, as far as its digits go?"""
    return is_number(claimed) and abs(float(claimed) - wanted) <= tolerance(float(claimed))


def _shown(value: Any) -> str:
    return printable(str(value)[:80])


@check(
    "lock.claim",
    "FAIL",
    "in a folder that pgolf built every number of submission.json is that of the logs, to its last digit",
    "pgolf: pgolf package writes it from the logs",
    "val_bpb 1.25004 where the logs have a mean of 1.25",
)
def check_claim(view: View) -> Outcome:
    """Headline, loss, deviation, sizes, seeds, and the results of each seed."""
    claim, runs = view.claim[0], {run.seed: run for run in view.logs.values() if run.headline is not None}
    if not view.built or claim is None or not runs:
        return skipped(NOT_BUILT if not view.built else "needs a readable submission.json and a finished log")
    records = list(runs.values())
    bpb = [value_of(run, "val_bpb") for run in records]
    loss = [value_of(run, "val_loss") for run in records]
    if not all(abs(value) < LARGEST for value in (*bpb, *loss)):
        return violated("a log's final score is no number to calculate with")
    wanted = {"val_bpb": statistics.fmean(bpb), "val_loss": statistics.fmean(loss)}
    if len(records) > 1:
        wanted |= {"val_bpb_std": statistics.stdev(bpb), "val_loss_std": statistics.stdev(loss)}
    problems = {
        key: f"is {_shown(claim[key])}, the logs give {value:.8f}"
        for key, value in wanted.items()
        if claim.get(key) is not None and not agrees(claim[key], value)
    }
    total = max((run.total_bytes or 0 for run in records), default=0)
    if "bytes_total" in claim and (isinstance(claim["bytes_total"], bool) or claim["bytes_total"] != total):
        problems["bytes_total"] = f"is {_shown(claim['bytes_total'])}, the largest logged total is {total}"
    problems |= _seed_problems(claim, {run.seed: run for run in view.logs.values() if run.seed is not None})
    return per_log(problems, f"every number is that of {len(records)} logs", rerun=f"pgolf package {view.shown}")


def _seed_problems(claim: Mapping[str, Any], records: Mapping[int, RunRecord]) -> dict[str, str]:
    problems: dict[str, str] = {}
    seeds = claim.get("seeds", [])
    if "seeds" in claim and (not isinstance(seeds, list) or sorted(map(str, seeds)) != sorted(map(str, records))):
        problems["seeds"] = f"are {_shown(seeds)}, the logs have {', '.join(map(str, sorted(records)))}"
    results = claim.get("seed_results", {})
    for seed, result in results.items() if isinstance(results, dict) else ():
        record = next((record for known, record in records.items() if str(known) == seed), None)
        problem = _result_problem(result, record)
        if problem:
            problems[f"seed {printable(seed)[:40]}"] = problem
    return problems


def _result_problem(result: Any, record: RunRecord | None) -> str:
    if record is None:
        return "has no log"
    if not isinstance(result, dict):
        return "is not an object"
    if record.headline is None:
        return "has a log without a final score"
    for key in ("val_bpb", "val_loss"):
        wanted = value_of(record, key)
        if key in result and not agrees(result[key], wanted):
            return f"{key} is {_shown(result[key])}, the log says {wanted}"
    if "artifact_bytes" in result and result["artifact_bytes"] != record.total_bytes:
        return f"artifact_bytes is {_shown(result['artifact_bytes'])}, the log says {record.total_bytes}"
    return ""


@check(
    "lock.sizes",
    "FAIL",
    "in a folder that pgolf built the logged code is the shipped file, and every total is code plus model",
    "openai/parameter-golf#1530: ship what you count",
    "the logs count 28,320 bytes of code, train_gpt.py has 125,673",
)
def check_sizes(view: View) -> Outcome:
    """Counting one file and shipping another is the accounting trap."""
    code, logs = view.code[0], {name: run for name, run in view.logs.items() if run.total_bytes is not None}
    if not view.built or code is None or not logs:
        return skipped(NOT_BUILT if not view.built else "needs train_gpt.py and a log with a total")
    problems = {}
    for name, run in logs.items():
        if run.code_bytes is None or run.model_bytes is None:
            problems[name] = "has a total without its parts"
        elif run.code_bytes != len(code):
            problems[name] = f"logs a code size of {run.code_bytes:,} bytes, the shipped file has {len(code):,}"
        elif run.code_bytes + run.model_bytes != run.total_bytes:
            parts = f"code {run.code_bytes:,} + model {run.model_bytes:,}"
            problems[name] = f"{parts} is not the total {run.total_bytes:,}"
    return per_log(problems, f"{len(logs)} totals are {len(code):,} bytes of code plus the model")


@check(
    "lock.seeds",
    "FAIL",
    "in a folder that pgolf built every log is of another seed, and is called after it",
    "openai/parameter-golf#2139",
    "train_seed42.log logs seed 1337",
)
def check_seeds(view: View) -> Outcome:
    """One run must not count twice."""
    from pgolf.verify.evidence import named_seed

    records = {name: run for name, run in view.logs.items() if run.seed is not None}
    if not view.built or not records:
        return skipped(NOT_BUILT if not view.built else "no log names its seed")
    counts = Counter(run.seed for run in records.values())
    problems = {}
    for name, run in records.items():
        if counts[run.seed] > 1:
            problems[name] = f"seed {run.seed} has {counts[run.seed]} logs"
        elif named_seed(name) not in (None, run.seed):
            problems[name] = f"is of seed {run.seed}"
    return per_log(problems, f"seeds {', '.join(str(seed) for seed in sorted(counts, key=str))}")
