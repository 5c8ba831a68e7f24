"""`pgolf build --all`: what is built, what the table says, and how errors of one recipe are told."""

import json

import pytest
from click.testing import CliRunner

from pgolf.cli.build_all import Entry, build_one, show
from pgolf.cli.main import main


def recipe(folder, text):
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(text)
    return folder


def pgolf(*arguments):
    return CliRunner().invoke(main, ["build", "--all", *map(str, arguments)], catch_exceptions=False)


def test_a_recipe_that_cannot_be_built_is_an_entry(tmp_path):
    entry = build_one(recipe(tmp_path / "odd", 'plugins = ["no_such_plugin"]\n'), "plain", ())
    assert entry.recipe == "odd" and "no_such_plugin" in entry.error and entry.code_bytes == 0
    assert not (tmp_path / "odd" / "train_gpt.py").exists()


def test_the_table_is_sorted_by_bytes(capsys):
    show([Entry("large", 20_000, "latin1", "0" * 64, 30), Entry("small", 9_000, "latin1", "0" * 64, 1)])
    show([Entry("odd", error="error[PG001]: nothing")])
    printed = capsys.readouterr()
    assert printed.out.index("small") < printed.out.index("large") and "20,000" in printed.out
    assert printed.err == "odd: error[PG001]: nothing\n"


def test_a_folder_without_recipes(tmp_path):
    done = pgolf(tmp_path)
    assert done.exit_code == 2 and "has no folder with a recipe.toml" in done.stderr


def test_what_does_not_go_together(tmp_path):
    done = pgolf(tmp_path, "--smoke")
    assert done.exit_code == 2 and "--all builds recipes as they are" in done.stderr


@pytest.mark.slow
def test_two_recipes_side_by_side(tmp_path):
    recipe(tmp_path / "one", "")
    recipe(tmp_path / "two", 'plugins = ["brotli"]\n')
    found = json.loads(pgolf(tmp_path, "--json", "--pack", "plain").stdout)["recipes"]
    assert [entry["recipe"] for entry in found] == ["one", "two"]
    for entry in found:
        folder = tmp_path / entry["recipe"]
        assert (folder / "train_gpt.py").stat().st_size == entry["code_bytes"] > 0
        assert (folder / "pgolf.lock").exists()
