"""Reports in SARIF 2.1.0, which code hosts show as annotations beside the lines they are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from pgolf import __version__
from pgolf.verify.folder import CODE_NAME, JSON_NAME, printable

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"FAIL": "error", "WARN": "warning"}
PLACES = 10
"""Most places of one finding."""
CODE_FAMILIES = ("code", "rule")


def sarif(reports: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """One run with a result for every failure and warning."""
    results: list[dict[str, Any]] = []
    rules: dict[str, dict[str, Any]] = {}
    for report in reports:
        for record in report["checks"]:
            if record["status"] in LEVELS:
                text = {"text": printable(record["rule"])}
                rules.setdefault(record["id"], {"id": record["id"], "shortDescription": text})
                results.append(result(report["folder"], record))
    driver = {"name": "pgolf verify", "version": __version__, "rules": list(rules.values())}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def result(folder: str, record: dict[str, Any]) -> dict[str, Any]:
    """One finding with its places."""
    places = list(dict.fromkeys(places_of(record)))[:PLACES]
    fallback = CODE_NAME if record["id"].partition(".")[0] in CODE_FAMILIES else JSON_NAME
    return {
        "ruleId": record["id"],
        "level": LEVELS[record["status"]],
        "message": {"text": printable(record["message"])},
        "locations": [location(folder, name, line) for name, line in places or [(fallback, 1)]],
    }


def places_of(record: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """(file, line) of a finding's evidence: patterns, uses, and probes, whose lines are of the script."""
    evidence = record["evidence"]
    for key in ("findings", "uses", "files"):
        rows = evidence.get(key)
        for row in rows if isinstance(rows, list) else ():
            line = row.get("line") if isinstance(row, dict) else None
            if isinstance(line, int) and line > 0:
                yield str(row.get("file") or CODE_NAME), line
    if isinstance(evidence.get("file"), str):
        yield evidence["file"], 1


def location(folder: str, name: str, line: int) -> dict[str, Any]:
    """A place as SARIF writes it; the path is relative to where the command ran."""
    path = str(PurePosixPath(folder, name)).removeprefix("./")
    uri = "".join(char if char.isalnum() or char in "/._-~" else percent(char) for char in path)
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}}


def percent(char: str) -> str:
    """A character of a URI that is none of the plain ones."""
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
