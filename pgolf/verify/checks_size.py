"""Checks of bytes: what is on disk, what the logs say, and the cap."""

from __future__ import annotations

from pgolf.verify.folder import View
from pgolf.verify.registry import Outcome, check, passed, per_log, skipped, violated


@check(
    "size.shipped", "FAIL", "code on disk and compressed model are within the cap", "challenge README: 16,000,000 bytes"
)
def check_shipped(view: View) -> Outcome:
    """The shipped file's own bytes, and the largest model of artifacts and logs."""
    code, _ = view.code
    models = [path.stat().st_size for files in view.artifacts.values() for path in files.values()]
    models += [record.model_bytes for record in view.logs.values() if record.model_bytes is not None]
    if code is None or not models:
        return skipped("needs train_gpt.py and an artifact or a log with its size")
    total, cap = len(code) + max(models), view.challenge.artifact_cap
    evidence = {"code_bytes": len(code), "model_bytes": max(models), "total_bytes": total, "cap": cap}
    if total <= cap:
        return passed(f"{total:,} bytes of {cap:,} ({cap - total:,} left)", **evidence)
    text = f"code {len(code):,} + model {max(models):,} = {total:,} bytes; the cap is {cap:,} ({total - cap:,} over)"
    return violated(text, **evidence)


@check("size.artifact", "FAIL", "the artifact on disk has the size that its log says", "openai/parameter-golf#1981")
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


@check("size.logged", "FAIL", "every logged total is code plus model and within the cap", "openai/parameter-golf#1835")
def check_logged(view: View) -> Outcome:
    """The logs' own sums."""
    totals = {name: record for name, record in view.logs.items() if record.total_bytes is not None}
    if not totals:
        return skipped("no log has a total")
    problems, cap = {}, view.challenge.artifact_cap
    for name, record in totals.items():
        total = record.total_bytes or 0
        if total > cap:
            problems[name] = f"total {total:,} bytes; the cap is {cap:,} ({total - cap:,} over)"
        elif record.code_bytes is None or record.model_bytes is None:
            problems[name] = "has a total without its parts"
        elif record.code_bytes + record.model_bytes != total:
            problems[name] = f"code {record.code_bytes:,} + model {record.model_bytes:,} is not the total {total:,}"
    return per_log(problems, f"{len(totals)} totals add up and are within {cap:,} bytes")


@check("size.code", "FAIL", "the code size in the logs is that of the shipped file", "openai/parameter-golf#1530")
def check_code_size(view: View) -> Outcome:
    """Counting one file and shipping another is the accounting trap."""
    code, _ = view.code
    sizes = {name: record.code_bytes for name, record in view.logs.items() if record.code_bytes is not None}
    if code is None or not sizes:
        return skipped("needs train_gpt.py and a log with a code size")
    problems = {
        name: f"logs a code size of {size:,} bytes, the shipped file has {len(code):,}"
        for name, size in sizes.items()
        if size != len(code)
    }
    return per_log(problems, f"{len(sizes)} logs ran a file of {len(code):,} bytes", code_bytes=len(code))
