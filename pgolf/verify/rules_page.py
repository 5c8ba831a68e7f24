"""docs/rules.md: every check with its severity, statement, source and an example, from the registry."""

from __future__ import annotations

from pgolf.verify.registry import Check
from pgolf.verify.report import all_checks

HEAD = """# Rules

<!-- Generated from pgolf/verify/checks_*.py by `python -m pgolf.docs`; edit there. -->

What `pgolf verify` checks. The severity says what a violation yields: FAIL follows the README of the contest or a ruling of
its maintainers, WARN is a defect that accepted records show as well or a rule that is argued about, INFO blocks nothing. Some
checks yield less where the evidence is weak. Those of `lock.*`, `run.*` and `log.receipts` are for folders that pgolf built
and are SKIP elsewhere. Limits and tolerances are data: `pgolf/rules/2026-04.toml`, or another file with `--rules PATH`. `#` and
a number is a pull request or an issue of openai/parameter-golf.
"""
TITLES = {
    "pkg": "The folder",
    "code": "Code as text",
    "rule": "How it trains and scores",
    "claim": "The claim against the logs",
    "seed": "Seeds",
    "size": "Bytes",
    "lock": "Folders that pgolf built",
    "log": "Logs",
    "time": "Time",
    "hw": "Hardware",
    "val": "What was scored",
    "stat": "Significance",
    "run": "Running it",
}


def rules_page() -> str:
    """The page, family by family."""
    parts = [HEAD]
    checks = all_checks()
    families = list(dict.fromkeys(item.id.partition(".")[0] for item in checks))
    for family in families:
        parts.append(f"## {TITLES.get(family, family)}\n")
        parts.append("| check | severity | rule | source | example of a violation |\n| --- | --- | --- | --- | --- |")
        parts += [_row(item) for item in checks if item.id.partition(".")[0] == family]
        parts.append("")
    return "\n".join(parts)


def _row(item: Check) -> str:
    cells = (f"`{item.id}`", item.severity, item.statement, item.source, item.example)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
