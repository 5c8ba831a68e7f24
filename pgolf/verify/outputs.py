"""Reports as text for people and as Markdown for a pull request. Whatever a folder says is escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from pgolf.verify.folder import printable

RANK = {"FAIL": 0, "WARN": 1, "SKIP": 2, "PASS": 3}
MESSAGE = 400
COMMENT = 60_000
"""Most characters of a Markdown report: a comment on GitHub holds 65,536."""


def ordered(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Its checks, failures first."""
    return sorted(report["checks"], key=lambda record: RANK[record["status"]])


def counts(report: dict[str, Any]) -> Counter[str]:
    """How many checks have each status."""
    return Counter(record["status"] for record in report["checks"])


def render(report: dict[str, Any], verbose: bool) -> list[str]:
    """Lines for people: failures, then warnings, then one line for what was not judged and one for what passed."""
    records = ordered(report)
    lines = []
    for record in records:
        if record["status"] in ("PASS", "SKIP") and not verbose:
            continue
        lines.append(f"{record['status']}  {record['id']}: {printable(record['message'])}")
        if record["status"] in ("FAIL", "WARN"):
            lines.append(f"      rule: {record['rule']}")
    for status in ("SKIP", "PASS") if not verbose else ():
        names = [record["id"] for record in records if record["status"] == status]
        if names:
            lines.append(f"{status}  {len(names)} checks: {', '.join(names)}")
    lines.append(f"{report['verdict'].upper()}: {printable(report['folder'])}")
    return lines


def summary(reports: list[dict[str, Any]]) -> list[str]:
    """A table of several folders, one line each."""
    names = [printable(report["folder"]) for report in reports]
    width = max(map(len, names), default=6)
    lines = [f"{'folder':{width}}  verdict  FAIL  WARN  SKIP  PASS  first failure"]
    for name, report in zip(names, reports, strict=True):
        seen = counts(report)
        first = next((record["id"] for record in report["checks"] if record["status"] == "FAIL"), "")
        numbers = "  ".join(f"{seen[status]:4}" for status in RANK)
        lines.append(f"{name:{width}}  {report['verdict']:7}  {numbers}  {first}".rstrip())
    return lines


def code(text: str) -> str:
    """Text as a code span that nothing in it can end: no markup, no mention, no link, one line, fit for a table."""
    safe = printable(text[:MESSAGE]).replace("`", "'").replace("|", "\\|").strip()
    return f"`{safe}`" if safe else ""


def markdown(reports: Iterable[dict[str, Any]]) -> str:
    """A comment: a table of several folders, then one section a folder, what fails first, passes folded away."""
    reports = list(reports)
    parts = _table(reports) if len(reports) > 1 else []
    for report in reports:
        parts += _section(report)
    text = "\n".join(parts) + "\n"
    if len(text) > COMMENT:
        cut = text.rfind("\n", 0, COMMENT)
        text = text[:cut] + "\n\nThe report is cut here: it is longer than a comment may be.\n"
    return text


def _table(reports: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| folder | verdict | FAIL | WARN | SKIP | PASS | first failure |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for report in reports:
        seen = counts(report)
        first = next((f"`{record['id']}`" for record in report["checks"] if record["status"] == "FAIL"), "")
        numbers = " | ".join(str(seen[status]) for status in RANK)
        lines.append(f"| {code(report['folder'])} | {report['verdict']} | {numbers} | {first} |")
    return [*lines, ""]


def _section(report: dict[str, Any]) -> list[str]:
    seen = counts(report)
    numbers = ", ".join(f"{seen[status]} {status}" for status in RANK if seen[status])
    lines = [f"### pgolf verify: {report['verdict'].upper()} {code(report['folder'])}", "", f"{numbers}.", ""]
    bad = [record for record in ordered(report) if record["status"] in ("FAIL", "WARN")]
    if bad:
        lines += ["| | check | seen | rule |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {record['status']} | `{record['id']}` | {code(record['message'])} | {code(record['rule'])} |"
            for record in bad
        ]
        lines.append("")
    for status, title in (("SKIP", "not judged"), ("PASS", "passed")):
        names = [f"`{record['id']}`" for record in report["checks"] if record["status"] == status]
        if names:
            lines += [f"{len(names)} {title}: {', '.join(names)}.", ""]
    return lines
