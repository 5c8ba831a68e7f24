"""Checks that submission.json says what the logs say."""

from __future__ import annotations

import statistics
from typing import Any

from pgolf.logs import RunRecord
from pgolf.verify.checks_files import is_number
from pgolf.verify.folder import View, printable
from pgolf.verify.registry import Outcome, check, passed, per_log, skipped, violated

NO_DATA = "needs a readable submission.json and a finished log"
MIN_DIGITS = 4


def finals(view: View, key: str) -> list[float]:
    """`val_bpb` or `val_loss` of every log's headline."""
    lines = [record.headline for record in view.logs.values()]
    return [float(getattr(line, key)) for line in lines if line is not None]


def tolerance(value: float) -> float:
    """Half a unit of the last digit that a number is written with; at least four digits are expected."""
    text = repr(value)
    digits = len(text.partition(".")[2]) if "e" not in text else 12
    return 0.5 * 10.0 ** -max(digits, MIN_DIGITS) * 1.001


def agrees(claimed: Any, wanted: float) -> bool:
    """Is a claimed number the wanted one, as far as its digits go?"""
    return is_number(claimed) and abs(float(claimed) - wanted) <= tolerance(float(claimed))


@check(
    "claim.logged",
    "FAIL",
    "val_bpb is the mean of the logs' last exact final lines",
    "openai/parameter-golf#1981, #2118",
)
def check_headline(view: View) -> Outcome:
    """The claim against the logs."""
    claim, values = view.claim[0], finals(view, "val_bpb")
    if claim is None or not values or "val_bpb" not in claim:
        return skipped(NO_DATA)
    mean = statistics.fmean(values)
    evidence = {"claimed": claim["val_bpb"], "logged": values, "mean": mean}
    if agrees(claim["val_bpb"], mean):
        return passed(f"val_bpb {claim['val_bpb']} is the mean of {len(values)} logs", **evidence)
    return violated(f"val_bpb is {printable(str(claim['val_bpb'])[:40])}, the logs' mean is {mean:.8f}", **evidence)


@check("claim.loss", "FAIL", "val_loss is the mean of the logs' last exact final lines", "openai/parameter-golf#1981")
def check_loss(view: View) -> Outcome:
    """The same for val_loss, where it is claimed."""
    claim, values = view.claim[0], finals(view, "val_loss")
    if claim is None or not values or claim.get("val_loss") is None:
        return skipped("submission.json claims no val_loss, or no log is finished")
    mean = statistics.fmean(values)
    if agrees(claim["val_loss"], mean):
        return passed(f"val_loss {claim['val_loss']} is the mean of {len(values)} logs")
    return violated(
        f"val_loss is {printable(str(claim['val_loss'])[:40])}, the logs' mean is {mean:.8f}", logged=values
    )


@check("claim.std", "WARN", "val_bpb_std is the sample standard deviation over the seeds", "openai/parameter-golf#1902")
def check_std(view: View) -> Outcome:
    """n - 1 in the denominator."""
    claim, values = view.claim[0], finals(view, "val_bpb")
    if claim is None or claim.get("val_bpb_std") is None or len(values) < 2:
        return skipped("no val_bpb_std is claimed, or fewer than two logs are finished")
    std = statistics.stdev(values)
    if agrees(claim["val_bpb_std"], std):
        return passed(f"val_bpb_std {claim['val_bpb_std']} is the sample standard deviation")
    return violated(f"val_bpb_std is {printable(str(claim['val_bpb_std'])[:40])}, wanted {std:.8f}", logged=values)


@check("claim.seeds", "FAIL", "every seed of submission.json has a log with its numbers", "openai/parameter-golf#2124")
def check_seeds(view: View) -> Outcome:
    """seeds and seed_results against the logs."""
    claim = view.claim[0]
    records = {record.seed: record for record in view.logs.values() if record.seed is not None}
    if claim is None or not records or not ({"seeds", "seed_results"} & set(claim)):
        return skipped("submission.json names no seeds, or no log does")
    problems: dict[str, str] = {}
    seeds = claim.get("seeds", [])
    if "seeds" in claim and (not isinstance(seeds, list) or sorted(map(str, seeds)) != sorted(map(str, records))):
        problems["seeds"] = f"are {printable(str(seeds)[:80])}, the logs have {', '.join(map(str, sorted(records)))}"
    results = claim.get("seed_results", {})
    for seed, result in results.items() if isinstance(results, dict) else ():
        record = next((record for known, record in records.items() if str(known) == seed), None)
        problem = _result_problem(result, record)
        if problem:
            problems[f"seed {printable(seed)[:40]}"] = problem
    return per_log(problems, f"{len(records)} seeds have logs with their numbers")


def _result_problem(result: Any, record: RunRecord | None) -> str:
    if record is None:
        return "has no log"
    if not isinstance(result, dict):
        return "is not an object"
    final = record.headline
    if final is None:
        return "has a log without a final score"
    for key, wanted in (("val_bpb", float(final.val_bpb)), ("val_loss", float(final.val_loss))):
        if key in result and not agrees(result[key], wanted):
            return f"{key} is {printable(str(result[key])[:40])}, the log says {wanted}"
    if "artifact_bytes" in result and result["artifact_bytes"] != record.total_bytes:
        return f"artifact_bytes is {printable(str(result['artifact_bytes'])[:40])}, the log says {record.total_bytes}"
    return ""


@check("size.claim", "FAIL", "bytes_total is the largest total of the logs", "challenge README: 16,000,000 bytes")
def check_total(view: View) -> Outcome:
    """The claim against the logs, exactly."""
    claim = view.claim[0]
    totals = [record.total_bytes for record in view.logs.values() if record.total_bytes is not None]
    if claim is None or not totals or "bytes_total" not in claim:
        return skipped(NO_DATA)
    if claim["bytes_total"] == max(totals) and not isinstance(claim["bytes_total"], bool):
        return passed(f"bytes_total {max(totals):,} is the largest of {len(totals)} totals")
    return violated(
        f"bytes_total is {printable(str(claim['bytes_total'])[:40])}, the largest logged total is {max(totals)}"
    )
