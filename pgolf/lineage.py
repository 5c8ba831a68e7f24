"""Which plugins the public records are made of: each record as one before it, with what it adds and takes away."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from pgolf.challenge import RULES_FOLDER

LINEAGE_NAME = "lineage.json"


@dataclass(frozen=True)
class Ancestor:
    """A public record.

    Attributes:
        record: its pull request, or its folder's name and day.
        score: bits per byte on the leaderboard.
        plugins: what it has beyond the baseline, as far as there are plugins for it.
        start: the record that it began with, or "" for the baseline.
        recipe: its folder in submissions/.
    """

    record: str
    score: float
    plugins: frozenset[str]
    start: str = ""
    recipe: str = ""


@cache
def load_lineage() -> tuple[Ancestor, ...]:
    """All records in the order of their making."""
    found: dict[str, Ancestor] = {}
    for row in json.loads((RULES_FOLDER / LINEAGE_NAME).read_text(encoding="utf-8")):
        start = found[row["from"]].plugins if row["from"] else frozenset()
        plugins = (start - set(row.get("remove", ()))) | set(row["add"])
        found[row["record"]] = Ancestor(row["record"], row["score"], plugins, row["from"], row["recipe"])
    return tuple(found.values())


def records_with(plugin: str) -> list[Ancestor]:
    """Records that used a plugin, best score first."""
    return sorted((one for one in load_lineage() if plugin in one.plugins), key=lambda one: one.score)
