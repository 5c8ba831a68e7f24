"""What is gathered of folders: verdict, numbers, a build's bytes and plan; and what is not known is said."""

import shutil
from pathlib import Path

import pytest
from ablate.test_kept import keep
from folders import make_folder

from pgolf.errors import PgolfError
from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.report.material import gather, is_submission
from pgolf.submission import make, write_submission
from pgolf.testing import MICRO


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small build."""
    folder = tmp_path_factory.mktemp("report") / "micro"
    recipe = Recipe(
        "micro", layers=(("lzma",),), settings={name: value for name, value in MICRO.items() if name != "seed"}
    )
    write_submission(make(recipe, load_registry(), "plain"), folder)
    return folder


def look(*folders, build=True):
    said = []
    return gather([Path(folder) for folder in folders], load_registry, build, said.append), said


@pytest.mark.ci
def test_a_build_has_bytes_by_plugin_and_a_plan(built):
    (found,), said = look(built)
    assert {"lzma", "runtime", "adam"} <= {item.group for item in found.code} and not found.artifact
    assert len(found.plan.variants[0].steps) == MICRO["num_layers"]
    assert found.unknown == ["bytes of the artifact: there is none in artifacts/seed*/"]
    assert found.report["verdict"] == "fail" and len(said) == 2


@pytest.mark.ci
def test_a_file_that_is_not_its_locks_is_unknown_and_not_guessed(built, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(built, other)
    with (other / "train_gpt.py").open("ab") as file:
        file.write(b"#")
    (found,), _ = look(other)
    assert not found.code and found.plan is None
    assert found.unknown == ["bytes by plugin, plan: train_gpt.py is not the file of its lock"]


@pytest.mark.ci
def test_a_damaged_artifact_is_unknown(built, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(built, other)
    (other / "artifacts" / "seed1").mkdir(parents=True)
    (other / "artifacts" / "seed1" / "final_model.int8.ptz").write_bytes(b"junk")
    (found,), said = look(other)
    assert found.code and not found.artifact and found.unknown[0].startswith("bytes of the artifact: ")
    assert said[-1].startswith("decode: ")


def test_folders_without_a_build_still_have_verdicts_and_results(tmp_path):
    make_folder(tmp_path / "a", seeds=(1, 2))
    (found,), said = look(tmp_path / "a", build=False)
    assert list(found.numbers.results) == ["seed 1", "seed 2"] and said == ["verify: 1 folder"]
    assert found.numbers.results["seed 1"]["val_bpb"] == 1.25 and not found.unknown
    (found,), _ = look(tmp_path / "a")
    assert found.unknown == ["bytes by plugin, plan: there is no plugin 'alpha'"]


def test_a_folder_of_another_script_has_a_verdict_and_no_build(tmp_path):
    folder = make_folder(tmp_path / "a")
    (folder / "pgolf.lock").unlink()
    (folder / "recipe.toml").unlink()
    (found,), _ = look(folder)
    assert found.report is not None and found.numbers.results
    assert found.unknown == ["bytes by plugin, plan: there is no lock and no recipe"]


def test_ablations_are_found_alone_and_inside(tmp_path):
    folder = keep(tmp_path / "runs", "base", {1: 1.0})
    make_folder(tmp_path / "a")
    keep(tmp_path / "a" / "ablation", "base", {1: 1.0})
    (alone, inside), _ = look(folder, tmp_path / "a", build=False)
    assert alone.report is None and list(alone.ablations) == ["runs"]
    assert inside.report is not None and list(inside.ablations) == ["ablation"]


def test_a_folder_of_something_else_is_an_error(tmp_path):
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(PgolfError) as error:
        is_submission(tmp_path)
    assert error.value.code == "PG501" and error.value.hint
