"""`pgolf verify --explain ID`: what a check asks, who says so, and what decides it."""

from __future__ import annotations

import difflib

from pgolf.errors import PgolfError
from pgolf.probe.verdicts import PROBES
from pgolf.verify.registry import CHECKS
from pgolf.verify.report import all_checks


def explain(name: str) -> list[str]:
    """Lines about one check, or about all of a family such as `rule`.

    Raises:
        PgolfError: PG004 where there is no check of this name.
    """
    checks = [item for item in all_checks() if name in (item.id, item.id.partition(".")[0])]
    if not checks:
        close = difflib.get_close_matches(name, CHECKS, 1)
        hint = f"did you mean {close[0]}?" if close else "docs/rules.md has all of them"
        raise PgolfError("PG004", f"there is no check {name!r}", "", hint)
    lines: list[str] = []
    for item in checks:
        lines += ["", f"{item.id} ({item.severity}): {item.statement}", f"  source: {item.source}"]
        lines += [f"  a violation: {item.example}"] if item.example else []
        said = (item.function.__doc__ or "").strip().splitlines()
        lines += [f"  {line.strip()}" for line in said if line.strip()]
        for probe, (does, rules) in PROBES.items():
            if item.id in rules:
                lines.append(f"  --probe {probe}: {does}")
    return lines[1:]
