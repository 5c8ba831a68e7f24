"""What a recipe, a folder, a lock and a log say of themselves."""

import shutil
from pathlib import Path

import pytest
from folders import fake_lock, log_text, make_folder
from models import registry

from pgolf.compare.sides import read_side
from pgolf.errors import PgolfError

RECIPE = 'name = "x"\nplugins = ["{}"]\n[settings]\nmodel_dim = 64\n'


def side(path, with_bytes=False):
    return read_side(Path(path), registry, with_bytes)


@pytest.mark.ci
def test_a_recipe_is_built(tmp_path):
    (tmp_path / "recipe.toml").write_text(RECIPE.format("brotli"))
    found = side(tmp_path / "recipe.toml", True)
    assert found.settings["model_dim"] == 64 and found.plugins["brotli"].endswith(")")
    assert sum(found.plugin_bytes.values()) > 1000 and found.code_bytes > 1000 and not found.runs
    # A folder with a recipe and no file is its recipe.
    assert side(tmp_path).plugins == found.plugins and side(tmp_path).plugin_bytes is None


def test_a_folder_has_runs_and_a_lock_may_be_of_other_plugins(tmp_path):
    folder = make_folder(tmp_path / "toy", seeds=(1, 2))
    (folder / "logs").mkdir(exist_ok=True)
    for seed in (1, 2):
        (folder / f"logs/train_seed{seed}.log").write_text(log_text(b"x", seed))
    found = side(folder, True)
    assert sorted(found.runs) == [1, 2] and found.plugins == dict.fromkeys(("alpha", "beta"), "1 (00000000)")
    assert found.plugin_bytes is None and "the plugin alpha" in found.notes[0] and "and" in found.notes[0]
    assert side(folder / "pgolf.lock").code_bytes == found.code_bytes and not side(folder / "pgolf.lock").runs
    assert sorted(side(folder / "logs").runs) == [1, 2]
    log = side(folder / "logs/train_seed1.log")
    assert log.plugins == {"alpha": "", "beta": ""} and log.runs[1].headline.val_bpb.startswith("1.25")
    shutil.copy(folder / "logs/train_seed1.log", folder / "logs/again.log")
    assert sorted(side(folder / "logs").runs) == [-2, 1, 2] or len(side(folder / "logs").runs) == 3


def test_what_is_nothing_of_the_kind(tmp_path):
    (tmp_path / "notes.md").write_text("hello")
    (tmp_path / "empty.log").write_text("hello\n")
    for path, code in (("none", "PG001"), ("notes.md", "PG505"), ("empty.log", "PG001"), (".", "PG001")):
        with pytest.raises(PgolfError) as caught:
            side(tmp_path / path)
        assert caught.value.code == code, path
    (tmp_path / "pgolf.lock").write_text(fake_lock(b"x", b"y").dump()[:-9])
    with pytest.raises(PgolfError, match="the lock is not JSON"):
        side(tmp_path / "pgolf.lock")
