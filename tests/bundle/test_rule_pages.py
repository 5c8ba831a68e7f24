"""Pages of the rules: each example is refused with the rule's code alone, and what to write instead runs live and built."""

import ast
from pathlib import Path

import pytest
from rule_codes import RECORD_ENTRY, codes

from pgolf.bundle.pipeline import build
from pgolf.bundle.rules.subset import RULES
from pgolf.docs import subset_page
from pgolf.errors import CODES, PgolfError
from pgolf.rule_pages import EXPLANATIONS, as_text, explain

SHAPES = "def area(side):\n    return side * side\n"
ENTRY = 'from sample import run\nif __name__ == "__main__":\n    print(run(3))\n'
WITH_SETTINGS = RECORD_ENTRY.replace("run(SETTINGS, make_program())", "print(run(SETTINGS))")


def entry_of(text):
    """A program that calls the `run` of an example with what it takes."""
    runs = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == "run"]
    assert len(runs) == 1
    return WITH_SETTINGS if runs[0].args.args[0].arg == "settings" else ENTRY


@pytest.mark.parametrize("code", RULES)
def test_the_example_is_refused_for_this_alone(project, code):
    refused = explain(code).refused
    assert set(codes(project, refused, entry_of(refused), shapes=SHAPES)) == {code}


@pytest.mark.parametrize("code", RULES)
def test_what_stands_instead_runs_live_and_built(project, run_file, tmp_path, code):
    instead = explain(code).instead
    find_source = project({"sample": instead, "shapes": SHAPES})
    built = build(entry_of(instead), find_source)
    live = run_file(built.dumps["0_live.py"], path=tmp_path)
    assert live.strip() and run_file(built.code, "-I") == live


@pytest.mark.parametrize("code", RULES)
def test_a_page_says_all_of_it(code):
    page = explain(code.lower())
    assert all(
        (page.code == code, page.title, page.rule.endswith("."), page.reason.endswith("."), page.refused, page.instead)
    )
    shown = as_text(page)
    assert shown.startswith(f"{code}: {page.title}\n") and "\nWhy: " in shown
    assert all(f"    {line}\n" in shown for line in page.refused.splitlines() if line)
    assert f"## {code}\n" in subset_page() and f"(#{code.lower()})" in subset_page()


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("PG3O4", "mean PG304?"),
        ("PG3l0", "mean PG310?"),
        ("304", "mean PG304?"),
        ("PG201", "two bundled operators"),
        ("x", "PG301"),
    ],
)
def test_an_unknown_code_has_a_suggestion(code, hint):
    with pytest.raises(PgolfError) as caught:
        explain(code)
    assert caught.value.code == "PG004" and hint in caught.value.hint


def test_each_page_belongs_to_a_rule():
    assert {path.stem for path in EXPLANATIONS.iterdir()} == set(RULES)
    assert all(rule.__doc__ == f"{code}: {CODES[code]}." for code, rule in RULES.items())


def test_rules_are_functions_named_by_what_they_forbid():
    assert not any("pg3" in rule.__name__ for rule in RULES.values())
    assert len({rule.__name__ for rule in RULES.values()}) == len(RULES)
    folder = Path(__file__).parents[2] / "pgolf" / "bundle" / "rules"
    assert not list(folder.glob("rules_*"))
