"""Runs every check and makes the report, as a document and as text."""

from __future__ import annotations

import math
from typing import Any

from pgolf.verify import checks_claim, checks_files, checks_lock, checks_logs, checks_run, checks_size
from pgolf.verify.folder import View, printable
from pgolf.verify.registry import Check, checks_of

# The order of the report. A new family of checks is one more module here.
FAMILIES = (checks_files, checks_claim, checks_size, checks_lock, checks_logs, checks_run)
RANK = {"FAIL": 0, "WARN": 1, "SKIP": 2, "PASS": 3}


def verify(view: View) -> dict[str, Any]:
    """The report: {"folder", "verdict", "checks": [{"id", "status", "message", "evidence", "rule"}]}."""
    checks = []
    for item in all_checks():
        outcome = item.function(view)
        checks.append(
            {
                "id": item.id,
                "status": outcome.status or item.severity,
                "message": outcome.message,
                "evidence": plain(dict(outcome.evidence)),
                "rule": item.rule,
            }
        )
    failed = any(record["status"] == "FAIL" for record in checks)
    return {"folder": str(view.shown), "verdict": "fail" if failed else "pass", "checks": checks}


def all_checks() -> list[Check]:
    """Every check, family by family."""
    return [item for family in FAMILIES for item in checks_of(family.__name__)]


def plain(value: Any) -> Any:
    """A value that JSON can hold: numbers that are not finite become text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def render(report: dict[str, Any], verbose: bool) -> list[str]:
    """Lines for people: failures, then warnings, then what could not be judged, then one line for what passed."""
    records = sorted(report["checks"], key=lambda record: RANK[record["status"]])
    lines = []
    for record in records:
        if record["status"] == "PASS" and not verbose:
            continue
        lines.append(f"{record['status']}  {record['id']}: {printable(record['message'])}")
        if record["status"] in ("FAIL", "WARN"):
            lines.append(f"      rule: {record['rule']}")
    good = [record["id"] for record in records if record["status"] == "PASS"]
    if good and not verbose:
        lines.append(f"PASS  {len(good)} checks: {', '.join(good)}")
    lines.append(f"{report['verdict'].upper()}: {printable(report['folder'])}")
    return lines
