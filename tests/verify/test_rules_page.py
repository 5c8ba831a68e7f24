"""docs/rules.md from the registry: each check once, in its family, in a table that stays one."""

from dataclasses import replace

from pgolf.verify import rules_page as module
from pgolf.verify.report import all_checks
from pgolf.verify.rules_page import TITLES, rules_page


def test_every_check_has_one_row_under_its_family():
    lines = rules_page().splitlines()
    for item in all_checks():
        rows = [at for at, line in enumerate(lines) if line.startswith(f"| `{item.id}` |")]
        assert len(rows) == 1, item.id
        heading = next(line for line in reversed(lines[: rows[0]]) if line.startswith("## "))
        assert heading == f"## {TITLES[item.id.partition('.')[0]]}"
        assert f"| {item.severity} |" in lines[rows[0]]


def test_every_title_is_of_a_family():
    assert set(TITLES) == {item.id.partition(".")[0] for item in all_checks()}


def test_no_text_breaks_the_table(monkeypatch):
    item = replace(all_checks()[0], statement="a | b", example="one\ntwo")
    monkeypatch.setattr(module, "all_checks", lambda: [item])
    (row,) = [line for line in rules_page().splitlines() if line.startswith("| `")]
    assert "a \\| b" in row and "one two" in row and row.replace("\\|", "").count("|") == 6
