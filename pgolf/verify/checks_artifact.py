"""The artifact and the log that is said to be of it; nothing is executed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pgolf.lock import file_hash
from pgolf.logs import RunRecord
from pgolf.verify.folder import View
from pgolf.verify.registry import Outcome, check, per_log, skipped

ARTIFACT_LIMIT = 2**28
"""Most bytes of an artifact that are read: sixteen times what may be submitted, and hashed in a second."""


@check(
    "log.artifact",
    "FAIL",
    "the artifacts are those that the logs are of",
    "pgolf: provenance",
    "one bit of an artifact was flipped, or the artifacts of two seeds were swapped",
)
def check_artifact(view: View) -> Outcome:
    """`artifact_sha256` of each log against artifacts/seed<SEED>/; only pgolf's programs print one."""
    logs = {name: run for name, run in view.logs.items() if run.seed in view.artifacts}
    if not logs:
        return skipped("needs artifacts/seed*/final_model.*.ptz and their logs: the folder that pgolf train wrote")
    problems = {
        name: artifact_problem(view.artifacts[run.seed], run) for name, run in logs.items() if run.seed is not None
    }
    problems = {name: problem for name, problem in problems.items() if problem}
    silent = [name for name, run in logs.items() if not run.artifact_sha256]
    if not problems and silent:
        return skipped(f"{len(silent)} of {len(logs)} logs do not say which artifact they are of: no artifact_sha256")
    return per_log(problems, f"{len(logs)} artifacts have the SHA-256 of their logs")


def artifact_problem(paths: Mapping[str, Path], record: RunRecord) -> str:
    """What is wrong with a run's artifacts, or ""; a log that says no hash is no problem, but no proof."""
    if any(path.stat().st_size > ARTIFACT_LIMIT for path in paths.values()):
        return f"an artifact is larger than {ARTIFACT_LIMIT:,} bytes"
    found = [file_hash(path) for path in paths.values()]
    if record.artifact_sha256 and record.artifact_sha256 not in found:
        return f"the artifact has SHA-256 {found[0][:16]}..., the log says {record.artifact_sha256[:16]}..."
    return ""
