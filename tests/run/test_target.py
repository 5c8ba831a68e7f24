"""What `pgolf train` runs for a folder, a recipe, --smoke and --live. The bundler is a stand-in: its output is not run."""

import hashlib

import pytest

from pgolf import submission
from pgolf.bundle.pipeline import Built
from pgolf.errors import PgolfError
from pgolf.lock import read_lock
from pgolf.manager import load_registry
from pgolf.run.target import open_target

REGISTRY = load_registry()
RECIPE = 'name = "mine"\nplugins = ["swa"]\n[settings]\nnum_layers = 6\n'


@pytest.fixture(autouse=True)
def quick(tmp_path, monkeypatch):
    def build(entry, find_source, **options):
        code = entry.encode()
        return Built(code, hashlib.sha256(code).hexdigest(), "plain", (), {"pack": len(code)}, {}, {})

    monkeypatch.setattr(submission, "build", build)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/recipe.toml").write_text(RECIPE)


def target(path, live=False, smoke=False, registry=lambda: REGISTRY):
    return open_target(path, registry, (), live, smoke)


def no_registry():
    raise AssertionError("no plugin is needed to run what is built")


def test_a_recipe_file_is_built_into_the_default_folder(tmp_path):
    found = target(tmp_path / "recipe.toml")
    assert str(found.root) == "submissions/mine" and found.script.is_file()
    assert (found.settings["num_layers"], found.smoke) == (6, False)


def test_a_folder_with_a_recipe_is_built_in_place_and_then_run_as_it_is(tmp_path):
    found = target(tmp_path / "sub")
    assert found.root == tmp_path / "sub" and (tmp_path / "sub/recipe.toml").read_text() == RECIPE
    assert target(tmp_path / "sub", registry=no_registry) == found


def test_smoke_of_a_full_build_goes_to_a_folder_of_its_own(tmp_path):
    full = target(tmp_path / "sub")
    small = target(tmp_path / "sub", smoke=True)
    assert small.root == tmp_path / "sub/smoke" and small.smoke and small.settings["num_layers"] == 4
    assert read_lock(full.root).settings["num_layers"] == 6
    before = small.script.stat().st_mtime_ns
    assert target(tmp_path / "sub", smoke=True).script.stat().st_mtime_ns == before
    assert target(small.root, smoke=True, registry=no_registry).root == small.root


def test_smoke_of_a_recipe_does_not_build_the_full_one(tmp_path):
    found = target(tmp_path / "recipe.toml", smoke=True)
    assert str(found.root) == "submissions/mine/smoke"
    assert not (tmp_path / "submissions/mine/train_gpt.py").exists()


def test_live_runs_the_entry_away_from_the_submissions_logs(tmp_path):
    target(tmp_path / "sub")
    found = target(tmp_path / "sub", live=True)
    assert found.root == tmp_path / "sub/artifacts/live"
    assert found.script.read_text().startswith('"""The training program of mine')
    assert target(tmp_path / "sub", live=True, smoke=True).root == tmp_path / "sub/smoke/artifacts/live"


def test_a_file_that_is_not_the_locks_is_refused(tmp_path):
    target(tmp_path / "sub")
    (tmp_path / "sub/train_gpt.py").write_text("print()")
    with pytest.raises(PgolfError) as caught:
        target(tmp_path / "sub")
    assert caught.value.code == "PG505"


def test_a_folder_with_nothing_to_run(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(PgolfError, match="neither") as caught:
        target(tmp_path / "empty")
    assert caught.value.code == "PG001"
