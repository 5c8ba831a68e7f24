"""The page about the records: a row says what a record changed, and bytes are those of the lock."""

import json
from pathlib import Path

from pgolf.lineage_page import lineage_page

RECIPES = Path(__file__).parent.parent / "submissions"


def row(record):
    (line,) = (line for line in lineage_page(RECIPES).splitlines() if line.startswith(f"| [{record}]"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_page_says_what_a_record_changed():
    cells = row("PR #1412")
    assert cells[1:4] == ["1.0835", "PR #1394", "-0.0021"]
    assert cells[4:6] == ["`hessian_sdclip`, `parallel_residual`, `progressive_loop`", "`layer_loop`"]


def test_bytes_and_what_is_missing_come_from_the_folder():
    lock = json.loads((RECIPES / "pr1019" / "pgolf.lock").read_text())
    assert row("PR #1019")[6:] == ["", f"{lock['code_bytes']:,}"]
    assert row("Ternary (2026-03-24)")[6] == "1"
