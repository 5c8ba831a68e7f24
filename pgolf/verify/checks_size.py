"""Checks of bytes: what is shipped, what the logs say, what is claimed, and the cap."""

from __future__ import annotations

import stat
from pathlib import PurePosixPath

from pgolf.logs import RunRecord
from pgolf.verify.claims import BYTES_KEYS, SEED_BYTES_KEYS, seed_results
from pgolf.verify.evidence import has_seed
from pgolf.verify.folder import View
from pgolf.verify.registry import Outcome, check, passed, per_log, skipped, violated

STUB_BYTES = 4096
"""A script that is shorter may do no more than execute another file."""
CAP_RULE = "openai/parameter-golf README: 16,000,000 bytes"


def model_of(record: RunRecord) -> int | None:
    """Bytes of the compressed model in a log: the total without the code that it counts."""
    if record.total_bytes is not None and record.code_bytes is not None:
        return record.total_bytes - record.code_bytes
    return record.model_bytes


def file_size(view: View, name: str) -> int | None:
    """Bytes of a regular file of the folder, without reading it."""
    found = (info.st_size for shown, info, _ in view.walk() if shown == name and stat.S_ISREG(info.st_mode))
    return next(found, None)


def shipped_code(view: View) -> tuple[int, list[str]] | None:
    """Bytes of the script and of the files it executes, with the names of those."""
    size = file_size(view, view.code_name)
    if size is None:
        return None
    siblings = view.program.siblings if size <= STUB_BYTES else []
    sizes = {name: found for name in siblings if (found := file_size(view, name)) is not None}
    return size + sum(sizes.values()), list(sizes)


@check(
    "size.shipped",
    "WARN",
    "the script on disk and the compressed model are within the cap; FAIL for a folder that pgolf built",
    f"{CAP_RULE}; openai/parameter-golf#1530, #1835",
    "the logs count a packed script of 28,320 bytes, shipped are 125,673: 16,037,794 in all",
)
def check_shipped(view: View) -> Outcome:
    """The shipped file's own bytes, and the largest model of artifacts and logs.

    Accepted records count a packed form that they do not ship, so that it is no failure of theirs.
    """
    code, runs = shipped_code(view), view.evidence.claim_runs
    models = [path.stat().st_size for files in view.artifacts.values() for path in files.values()]
    models += [size for record in runs.values() if (size := model_of(record)) is not None]
    if code is None or not models:
        return skipped("needs the script, and an artifact or a log with its size")
    total, cap = code[0] + max(models), view.challenge.artifact_cap
    logged = [record.total_bytes for record in runs.values() if record.total_bytes is not None]
    evidence = {
        "code_bytes": code[0],
        "executes": code[1],
        "model_bytes": max(models),
        "total_bytes": total,
        "cap": cap,
    }
    evidence["logged_total"] = max(logged, default=None)
    if total <= cap:
        return passed(f"{total:,} bytes of {cap:,} ({cap - total:,} left)", **evidence)
    text = f"code {code[0]:,} + model {max(models):,} = {total:,} bytes; the cap is {cap:,} ({total - cap:,} over)"
    return Outcome("FAIL" if view.built else "", text, evidence)


@check(
    "size.artifact",
    "FAIL",
    "the artifact on disk has the size that its log says",
    "openai/parameter-golf#1981",
    "final_model.int8.ptz holds 999 bytes, its log says 1,000",
)
def check_artifact(view: View) -> Outcome:
    """Artifacts are not part of a pull request; where they are there they must be those of the logs."""
    if not view.artifacts:
        return skipped("there is no artifacts/seed*/final_model.*.ptz; keep the folder that pgolf train wrote")
    problems = {}
    by_seed = {record.seed: record for record in view.logs.values()}
    for seed, files in view.artifacts.items():
        record = by_seed.get(seed)
        if record is None or record.model_bytes is None:
            problems[f"seed {seed}"] = "has an artifact and no log that gives its size"
            continue
        sizes = {name: path.stat().st_size for name, path in files.items()}
        if record.model_bytes not in sizes.values():
            seen = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
            problems[f"seed {seed}"] = f"{seen} bytes, the log says {record.model_bytes:,}"
    return per_log(problems, f"{len(view.artifacts)} artifacts have the logged sizes")


@check(
    "size.logged",
    "FAIL",
    "the largest total of the logs is within the cap; without one, the size that is claimed",
    f"{CAP_RULE}; openai/parameter-golf#1835, #1959",
    "Total submission size int8+zlib: 16,000,050 bytes",
)
def check_logged(view: View) -> Outcome:
    """Over the logs that the claim rests on."""
    totals = {name: run.total_bytes for name, run in view.evidence.claim_runs.items() if run.total_bytes is not None}
    cap = view.challenge.artifact_cap
    if not totals:
        key, size = max(claimed_sizes(view).items(), key=lambda pair: pair[1], default=("", 0))
        if size > cap:
            return violated(
                f"no log has a total, and {key} is {size:.15g}; the cap is {cap:,}", claimed=str(size), cap=cap
            )
        return skipped("no log has a total")
    problems = {
        name: f"total {total:,} bytes; the cap is {cap:,} ({total - cap:,} over)"
        for name, total in totals.items()
        if total > cap
    }
    return per_log(problems, f"{len(totals)} totals, at most {max(totals.values()):,} of {cap:,} bytes", totals=totals)


@check(
    "size.claim",
    "WARN",
    "the size in submission.json is the largest total of the logs",
    "pgolf: the largest run must fit",
    "bytes_total is the mean over the logs",
)
def check_claim(view: View) -> Outcome:
    """Exactly."""
    claim = view.claim[0]
    totals = [run.total_bytes for run in view.evidence.runs.values() if run.total_bytes is not None]
    if claim is None or not totals:
        return skipped("needs a readable submission.json and a log with a total")
    stated = claimed_sizes(view)
    if not stated:
        return skipped("submission.json gives no size in bytes")
    key, size = next(iter(stated.items()))
    if size == max(totals):
        return passed(f"{key} {size} is the largest of {len(totals)} totals")
    kind = "another log's total" if size in totals else "in no log"
    if abs(size * len(totals) - sum(totals)) <= len(totals):
        kind = "the mean over the logs"
    text = f"{key} {str(size)[:40]} is {kind}; the largest logged total is {max(totals)}"
    return violated(text, claimed=str(size), totals=totals)


def claimed_sizes(view: View) -> dict[str, int]:
    """Sizes in bytes that submission.json states, by their key."""
    claim = view.claim[0] or {}
    stated = {key: claim[key] for key in BYTES_KEYS if type(claim.get(key)) is int}
    of_seeds = [size for result in seed_results(claim).values() if (size := _seed_bytes(result)) is not None]
    return {**stated, "seed_results": max(of_seeds)} if of_seeds else stated


def _seed_bytes(result: object) -> int | None:
    if not isinstance(result, dict):
        return None
    return next((result[key] for key in SEED_BYTES_KEYS if type(result.get(key)) is int), None)


@check(
    "size.seed",
    "WARN",
    "the sizes of the seeds in submission.json are those of their logs",
    "pgolf: sizes are exact",
    "seed 314 is claimed with 15,991,486 bytes, its log says 15,990,916",
)
def check_seeds(view: View) -> Outcome:
    """Each seed's total, exactly."""
    problems, compared = {}, 0
    for seed, result in seed_results(view.claim[0] or {}).items():
        runs = [run for name, run in view.evidence.runs.items() if has_seed(name, run, seed)]
        claimed, totals = _seed_bytes(result), {run.total_bytes for run in runs if run.total_bytes is not None}
        if claimed is None or not totals:
            continue
        compared += 1
        if claimed not in totals:
            problems[f"seed {seed}"] = f"{str(claimed)[:40]} bytes, the log says {', '.join(map(str, sorted(totals)))}"
    if not compared:
        return skipped("submission.json gives no size of a seed that has a log")
    return per_log(problems, f"{compared} seeds have the sizes of their logs")


@check(
    "code.match",
    "WARN",
    "the code size in the logs is that of a shipped script or of its unpacked source",
    "openai/parameter-golf#2124",
    "the logs ran 66,683 bytes, shipped are 68,038",
)
def check_code_match(view: View) -> Outcome:
    """The logs may count the script as it is, or what it unpacks to."""
    logged = {name: code_of(run) for name, run in view.evidence.judged.items() if code_of(run) is not None}
    shipped = {
        name: info.st_size
        for name, info, _ in view.walk()
        if PurePosixPath(name).suffix == ".py" and stat.S_ISREG(info.st_mode)
    }
    if not logged or not shipped:
        return skipped("needs a script and a log with a code size")
    sizes = {*shipped.values(), *unpacked_sizes(view)}
    problems = {
        name: f"logs {size:,} bytes of code, {view.code_name} has {shipped.get(view.code_name, 0):,}"
        for name, size in logged.items()
        if size not in sizes
    }
    return per_log(problems, f"{len(logged)} logs ran a script of the shipped size", shipped=shipped, logged=logged)


def unpacked_sizes(view: View) -> list[int]:
    """Sizes of the source inside a self-extracting script."""
    if view.code[0] is None:
        return []
    return [layer.size for layer in view.program.unpacked.layers]


@check(
    "code.same",
    "WARN",
    "all logs ran a program of the same size",
    "openai/parameter-golf#2124",
    "two logs of 59,624 bytes of code and one of 61,617",
)
def check_code_same(view: View) -> Outcome:
    """One configuration, one program."""
    sizes = {name: size for name, run in view.evidence.trained.items() if (size := code_of(run)) is not None}
    if len(sizes) < 2:
        return skipped("fewer than two logs give a code size")
    if len(set(sizes.values())) == 1:
        return passed(f"{len(sizes)} logs ran {next(iter(sizes.values())):,} bytes of code")
    seen = ", ".join(f"{size:,}" for size in sorted(set(sizes.values())))
    return violated(f"the logs ran programs of {seen} bytes", sizes=sizes)


def code_of(record: RunRecord) -> int | None:
    """The size of the source that a log names: uncompressed, where it gives both."""
    return record.code_bytes_uncompressed if record.code_bytes_uncompressed is not None else record.code_bytes
