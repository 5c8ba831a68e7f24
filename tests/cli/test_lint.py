"""`pgolf lint`: every rule's known-bad file, plugins that cannot be imported, folders and recipes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pgolf.cli.main import main

ROOT = Path(__file__).parents[2]
REJECTED = sorted((ROOT / "tests/rejected").glob("PG3*.py"))
BAD_PLUGIN = """
import not_installed_anywhere
from pgolf import Component, Plugin, hookimpl
PLUGIN = Plugin(name="bad", summary="a", source="b", family="architecture")
def helper(settings):
    return vars(settings)
class Tap:
    def __call__(self, x):
        return sorted(vars(self)) + eval("x")
@hookimpl
def loss(settings):
    helper(settings)
    return Component(Tap)
"""


def lint(*arguments, status=0):
    done = CliRunner().invoke(main, ["lint", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done


def test_each_rejected_file_yields_its_code():
    document = json.loads(lint(*REJECTED, "--json", status=1).stdout)
    for path in REJECTED:
        codes = {item["code"] for item in document["findings"] if item["where"].startswith(f"{path}:")}
        assert codes == {path.name[:5]}, path


def test_a_rule_is_explained():
    text = lint("--explain", "pg304").stdout
    assert text.startswith("PG304: a write to shared state\n") and "\nRefused:\n" in text and "\nInstead:\n" in text
    page = json.loads(lint("--explain", "PG304", "--json").stdout)
    assert (
        list(page) == ["code", "title", "rule", "reason", "refused", "instead"] and "SEEN[x] = 2 * x" in page["refused"]
    )
    assert "did you mean PG304?" in lint("--explain", "PG3O4", status=2).output
    assert "or --explain CODE alone" in lint("--explain", "PG304", ROOT, status=2).output
    assert "or --explain CODE alone" in lint(status=2).output


def test_everything_that_ships_passes():
    text = lint(ROOT / "plugins", ROOT / "pgolf/runtime", ROOT / "tests/sample_plugins").stdout
    assert text.startswith("no findings in ")


def test_a_plugin_that_cannot_be_imported_is_checked_as_text(tmp_path):
    (tmp_path / "bad.py").write_text(BAD_PLUGIN)
    text = lint(tmp_path, status=1).stdout
    where = f"{tmp_path / 'bad.py'}:9:23"
    for part in ("error[PG303]", f"error[PG305]: 'vars' cannot be bundled: it defeats static names\n  --> {where}"):
        assert part in text
    assert (
        "    9 |         return sorted(vars(self))" in text and "^^^^" in text and "  help: write the names out" in text
    )
    assert f"{where}: vars turns off the shortening of every name" in text and ": eval turns off" in text
    # What only a hook uses is not bundled.
    assert "bad.py:6" not in text and text.endswith("3 findings in 1 file\n")
    assert "`pgolf lint --explain PG303` says why" in text


def test_a_syntax_error_is_a_finding_and_does_not_hide_others(tmp_path):
    (tmp_path / "a.py").write_text("def f(:\n")
    (tmp_path / "b.py").write_text("import os.path\ndef f(): return os.path.sep\n")
    codes = [finding["code"] for finding in json.loads(lint(tmp_path, "--json", status=1).stdout)["findings"]]
    assert codes == ["PG301", "PG303"]


@pytest.mark.ci
def test_files_of_one_name_in_two_folders(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same.py").write_text("def f():\n    return locals()\n")
    document = json.loads(lint(tmp_path / "one", tmp_path / "two", "--json", status=1).stdout)
    assert len(document["findings"]) == 2 and len(document["renaming_disabled_by"]) == 2


def test_a_recipe_with_a_plugin_of_a_folder(tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('plugins = ["cool_evaluation", "pko"]\n')
    assert "no findings" in lint(recipe, "--plugin-dir", ROOT / "tests/sample_plugins").stdout
    recipe.write_text('plugins = ["nowhere"]\n')
    assert "error[PG102]" in lint(tmp_path, status=2).stderr


def test_unusable_input(tmp_path):
    lint(tmp_path / "nothing.py", status=2)
    assert "error[PG001]" in lint(tmp_path, status=2).stderr
    (tmp_path / "not-a-name.py").write_text("")
    assert "error[PG004]" in lint(tmp_path, status=2).stderr
    (tmp_path / "not-a-name.py").rename(tmp_path / "binary.py")
    (tmp_path / "binary.py").write_bytes(b"\xff")
    assert "error[PG001]" in lint(tmp_path, status=2).stderr
