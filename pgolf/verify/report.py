"""Runs every check and makes the report, as one document."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgolf.errors import PgolfError
from pgolf.verify import (
    checks_artifact,
    checks_built,
    checks_claim,
    checks_code,
    checks_code_rules,
    checks_files,
    checks_limits,
    checks_lock,
    checks_logs,
    checks_rules,
    checks_run,
    checks_size,
    checks_statistics,
    checks_time,
    checks_validation,
)
from pgolf.verify.folder import RunPlan, View, printable
from pgolf.verify.outputs import render
from pgolf.verify.registry import Check, Outcome, checks_of, skipped

if TYPE_CHECKING:
    from pgolf.challenge import Challenge
    from pgolf.manager import Registry

# The order of the report. A new family of checks is one more module here.
FAMILIES = (
    checks_files,
    checks_code,
    checks_code_rules,
    checks_rules,
    checks_claim,
    checks_size,
    checks_lock,
    checks_built,
    checks_logs,
    checks_artifact,
    checks_time,
    checks_validation,
    checks_statistics,
    checks_run,
    checks_limits,
)
SECONDS = 20.0
"""Most seconds for all checks that execute nothing. What is left then is not judged, and `pkg.limits` fails."""
MESSAGE, TEXT, ITEMS, DEPTH = 2000, 4000, 2000, 12

__all__ = ["all_checks", "plain", "render", "verify", "verify_folder"]


def verify_folder(
    folder: Path,
    registry: Callable[[], Registry],
    run: RunPlan | None = None,
    rules: Challenge | None = None,
) -> dict[str, Any]:
    """The report of one folder; `rules` replaces the rule set that its lock names."""
    return verify(View(folder, registry, run, rules))


def verify(view: View) -> dict[str, Any]:
    """The report: {"folder", "verdict", "checks": [{"id", "status", "message", "evidence", "rule"}]}.

    In this process, and so without a limit on one check; `bounded` has limits that hold.
    """
    records, end = [], time.monotonic() + SECONDS
    for item in all_checks():
        if not view.run.enabled and time.monotonic() > end and item.id != "pkg.limits":
            view.exceed(f"it takes more than {SECONDS:.0f} s")
            records.append(as_record(item, skipped(f"not judged within {SECONDS:.0f} s")))
        else:
            records.append(as_record(item, guarded(item, view)))
    return as_report(view, records)


def as_record(item: Check, outcome: Outcome) -> dict[str, Any]:
    """One entry of a report."""
    return {
        "id": item.id,
        "status": outcome.status or item.violation,
        "message": outcome.message[:MESSAGE],
        "evidence": plain(dict(outcome.evidence)),
        "rule": item.rule,
    }


def as_report(view: View, records: list[dict[str, Any]]) -> dict[str, Any]:
    """The document of one folder."""
    failed = any(record["status"] == "FAIL" for record in records)
    return {"folder": str(view.shown), "verdict": "fail" if failed else "pass", "checks": records}


def guarded(item: Check, view: View) -> Outcome:
    """A check's outcome. One that breaks on a folder is a defect of pgolf, and the folder has not passed it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of numbers in a folder that a library finds odd
            return item.function(view)
    except MemoryError:
        view.exceed(f"{item.id} needs more memory than it may have")
        return skipped("not judged: it needs more memory than it may have")
    except PgolfError as error:
        return Outcome("FAIL", printable(f"cannot be judged: {error.message}"))
    except Exception as error:
        what = printable(f"{type(error).__name__}: {str(error)[:200]}")
        return Outcome("FAIL", f"the check itself broke (a pgolf bug, please report it): {what}")


def all_checks() -> list[Check]:
    """Every check, family by family."""
    return [item for family in FAMILIES for item in checks_of(family.__name__)]


def plain(value: Any, depth: int = 0) -> Any:
    """A value that JSON can hold, of bounded size: numbers that are not finite and all other things become text."""
    if depth > DEPTH:
        return "..."
    if isinstance(value, dict):
        return {str(key)[:MESSAGE]: plain(item, depth + 1) for key, item in list(value.items())[:ITEMS]}
    if isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in value[:ITEMS]]
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return str(value)[:TEXT]
