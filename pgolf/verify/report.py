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
    checks_built,
    checks_claim,
    checks_code,
    checks_code_rules,
    checks_files,
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
from pgolf.verify.registry import Check, Outcome, checks_of

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
    checks_time,
    checks_validation,
    checks_statistics,
    checks_run,
)
SECONDS = 120.0
"""Most seconds for all checks that execute nothing. What is left then is a failure: a folder must not choose its checks."""
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
    """The report: {"folder", "verdict", "checks": [{"id", "status", "message", "evidence", "rule"}]}."""
    checks, end = [], time.monotonic() + SECONDS
    for item in all_checks():
        late = not view.run.enabled and time.monotonic() > end
        outcome = Outcome("FAIL", f"not judged within {SECONDS:.0f} s") if late else guarded(item, view)
        checks.append(
            {
                "id": item.id,
                "status": outcome.status or item.violation,
                "message": outcome.message[:MESSAGE],
                "evidence": plain(dict(outcome.evidence)),
                "rule": item.rule,
            }
        )
    failed = any(record["status"] == "FAIL" for record in checks)
    return {"folder": str(view.shown), "verdict": "fail" if failed else "pass", "checks": checks}


def guarded(item: Check, view: View) -> Outcome:
    """A check's outcome. One that breaks on a folder is a defect of pgolf, and the folder has not passed it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of numbers in a folder that a library finds odd
            return item.function(view)
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
