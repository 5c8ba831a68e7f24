"""Every code has a page, and the schema knows what recipes may say."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from pgolf.bundle.rules.subset import RULES
from pgolf.cli.main import main
from pgolf.errors import CODES, PgolfError
from pgolf.explain import CAUSES, explain, listing, recipe_schema
from pgolf.verify.report import all_checks

ROOT = Path(__file__).parent.parent


def test_every_code_and_every_check_has_a_page():
    assert {*CAUSES} == {*CODES} - {*RULES}
    for code in [*CODES, *(check.id for check in all_checks())]:
        page = explain(code.lower())
        assert page.title and page.mend, code
        if code in CAUSES:
            assert len(page.causes) > 20 and page.causes[0].isupper() and page.mend.rstrip()[-1] in ".?`", code
    assert "size.claim" in listing() and "PG205" in listing()


def test_commands_that_pages_name_exist():
    from pgolf.cli.main import COMMANDS

    named = {word for texts in CAUSES.values() for text in texts for word in re.findall(r"`pgolf (\w+)", text)}
    assert named and named <= {*COMMANDS}


def test_an_unknown_code_is_guessed():
    with pytest.raises(PgolfError) as caught:
        explain("PG2O5")
    assert caught.value.code == "PG004" and "did you mean PG2" in caught.value.hint
    with pytest.raises(PgolfError, match="no code of an error"):
        explain("x" * 500)


def run(*words):
    return CliRunner().invoke(main, ["explain", *words])


def test_the_command():
    assert "PG205: a parameter has no optimizer group" in run("pg205").output
    assert json.loads(run("PG304", "--json").stdout)["code"] == "PG304"
    assert "Source:" in run("size.claim").output and run("nothing").exit_code == 2
    assert len(run().output.splitlines()) == len(listing()) and json.loads(run("--json").stdout) == listing()
    assert run("PG205", "--schema").exit_code == 2


def fits(schema, value):
    """Enough of JSON schema for ours."""
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "anyOf" in schema and not any(fits(one, value) for one in schema["anyOf"]):
        return False
    if "type" in schema and (
        not isinstance(value, kinds[schema["type"]]) or (isinstance(value, bool) and schema["type"] != "boolean")
    ):
        return False
    if isinstance(value, list):
        return all(fits(schema["items"], one) for one in value)
    if isinstance(value, dict):
        known = schema["properties"]
        closed = schema.get("additionalProperties") is False
        return all(fits(known[key], one) if key in known else not closed for key, one in value.items())
    if isinstance(value, (int, float)):
        return value >= schema.get("minimum", value) and (
            "exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"]
        )
    return True


def test_the_schema_takes_every_recipe_and_refuses_others():
    schema = recipe_schema()
    json.dumps(schema)
    recipes = sorted(ROOT.glob("submissions/*/recipe.toml"))
    assert len(recipes) > 20
    for path in recipes:
        assert fits(schema, tomllib.loads(path.read_text())), path
    good = {"name": "x", "plugins": ["swa"], "settings": {"model_dim": 64}}
    assert fits(schema, good)
    for key, value in (
        ("plugin", []),
        ("settings", {"model_dim": "64"}),
        ("settings", {"model_dim": 0}),
        ("challenge", "1999"),
    ):
        assert not fits(schema, {**good, key: value}), key
    assert json.loads(run("--schema").stdout) == schema
