"""docs/lineage.md: the public records one after another, from `pgolf/rules/lineage.json`, the recipes and their locks."""

from __future__ import annotations

from pathlib import Path

from pgolf.lineage import Ancestor, load_lineage
from pgolf.lock import LOCK_NAME, read_lock
from pgolf.manager import load_registry
from pgolf.submission import RECIPE_NAME

BASELINE_SCORE = 1.2244
HEAD = """# Lineage

<!-- Generated from pgolf/rules/lineage.json, the recipes and the locks of submissions/ by `python -m pgolf.docs`. -->

What each public record is made of, and a few stacks of forks. *BPB* is the score on the leaderboard, or the logged one
of what was not merged; *measured* is the difference to the record that it began with, which holds everything that
changed: settings, seeds and machines too. *Bytes* are those of `train_gpt.py` as `pgolf build` writes it now. *Lacks*
counts the comments of a recipe that name what it does not have; the recipe says it.

| record | BPB | begins with | measured | added | taken away | lacks | bytes |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""
CLAIMS = """
## What was claimed

The effect of each plugin as its record or its author states it, where it first was in a record.

| plugin | first record | claimed effect |
| --- | --- | --- |
"""


def lineage_page(submissions: Path) -> str:
    """The page; `submissions` is the folder with the recipes."""
    known = {one.record: one for one in load_lineage()}
    text = HEAD + "".join(_row(one, known.get(one.start), submissions) for one in known.values()) + CLAIMS
    registry, seen = load_registry(), set[str]()
    for one in known.values():
        for name in sorted(one.plugins - seen):
            effect = registry.plugins[name].plugin.effect or "none stated"
            text += f"| `{name}` | {one.record} | {_escaped(effect)} |\n"
        seen |= one.plugins
    return text


def _row(one: Ancestor, start: Ancestor | None, submissions: Path) -> str:
    """One line of the table; a start of None is the baseline."""
    before = start.plugins if start else frozenset[str]()
    folder = submissions / one.recipe
    lacks = (folder / RECIPE_NAME).read_text(encoding="utf-8").count("# Missing: ")
    size = f"{read_lock(folder).code_bytes:,}" if (folder / LOCK_NAME).is_file() else ""
    cells = (
        f"[{one.record}](../submissions/{one.recipe}/{RECIPE_NAME})",
        f"{one.score:.4f}",
        start.record if start else "baseline",
        f"{one.score - (start.score if start else BASELINE_SCORE):+.4f}",
        _names(one.plugins - before) or "settings alone",
        _names(before - one.plugins),
        str(lacks or ""),
    )
    return "| " + " | ".join(map(_escaped, cells)) + f" | {size} |\n"


def _names(plugins: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(plugins))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
