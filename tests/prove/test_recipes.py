"""Every recipe in submissions/ is proved: all six stages, all eight rungs; and the runs are small, yet of the same kind."""

import json
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
from click.testing import CliRunner
from models import registry

from pgolf.cli.main import main
from pgolf.cli.prove import open_recipe, shrink
from pgolf.prove.sizes import PROOF_SETTINGS, VALIDATION_TOKENS, trimmed
from pgolf.run.data import DataPaths
from pgolf.submission import smoke_recipe

SUBMISSIONS = sorted(path.parent for path in (Path(__file__).parents[2] / "submissions").glob("*/recipe.toml"))


def proved(*arguments):
    done = CliRunner().invoke(main, ["prove", *map(str, arguments), "--json"], catch_exceptions=False)
    document = json.loads(done.stdout)
    assert done.exit_code == 0 and document["equal"], document["first_difference"]
    assert [rung["rung"] for rung in document["rungs"]] == list(range(8)) and len(document["stages"]) == 6
    return document


@pytest.mark.slow
@pytest.mark.parametrize("folder", SUBMISSIONS, ids=lambda path: path.name)
def test_recipe_is_proved(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    facts = proved(folder)["facts"]
    assert facts["steps"] >= 7 and facts["backward_passes"] >= 50 and facts["graphs"] >= 2
    assert facts["artifact_bytes"] > 500_000 and len(facts["scores"]) >= 2


@pytest.mark.slow
def test_plugins_on_top_of_the_baseline_are_proved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    proved("--plugins", "swa,bank_qat,pko")


def test_there_are_recipes():
    assert len(SUBMISSIONS) >= 3


@pytest.mark.parametrize("folder", SUBMISSIONS, ids=lambda path: path.name)
def test_a_proof_is_smaller_than_smoke_size_and_of_the_same_kind(folder):
    recipe = open_recipe(folder, (), ())
    smoke, small = smoke_recipe(recipe, registry()).settings, shrink(recipe, registry(), None).settings
    changed = {name for name in small if small[name] != smoke[name]}
    assert changed and changed <= set(PROOF_SETTINGS) and small.keys() == smoke.keys()
    # Quantizers take other ways for small matrices, so the width is that of smoke size.
    assert small["model_dim"] == smoke["model_dim"] and small["model_dim"] ** 2 > 65_536
    assert small["train_batch_tokens"] > 8 * small["train_seq_len"] > 8 * small.get("swa_window", 1)
    assert 3 * small["val_batch_size"] < VALIDATION_TOKENS and VALIDATION_TOKENS % small["val_batch_size"]
    assert small["train_seq_len"] > small.get("eval_stride", 1)


def test_validation_is_cut_and_training_is_not(micro_data, tmp_path):
    paths = DataPaths(micro_data.data_path, micro_data.tokenizer_path)
    whole = (micro_data.data_path / "fineweb_val_000000.bin").read_bytes()
    small = trimmed(paths, tmp_path / "a")
    assert (small.data_path / "fineweb_val_000000.bin").read_bytes() == whole, "it has fewer tokens already"
    long = tmp_path / "long"
    long.mkdir()
    tokens = numpy.arange(2 * VALIDATION_TOKENS, dtype="<u2")
    header = numpy.zeros(256, "<i4")
    header[:3] = (20240520, 1, len(tokens))
    (long / "fineweb_val_000000.bin").write_bytes(header.tobytes() + tokens.tobytes())
    (long / "fineweb_train_000000.bin").write_bytes(whole)
    cut = trimmed(replace(paths, data_path=long), tmp_path / "b").data_path
    data = (cut / "fineweb_val_000000.bin").read_bytes()
    assert numpy.frombuffer(data, "<i4", 256)[:3].tolist() == [20240520, 1, VALIDATION_TOKENS]
    assert numpy.array_equal(numpy.frombuffer(data, "<u2", offset=1024), tokens[:VALIDATION_TOKENS])
    assert (cut / "fineweb_train_000000.bin").read_bytes() == whole
    assert sorted(path.name for path in cut.iterdir()) == ["fineweb_train_000000.bin", "fineweb_val_000000.bin"]
    (long / "fineweb_val_bytes_000000.bin").write_bytes(header.tobytes() + (tokens + 1).tobytes())
    cut = trimmed(replace(paths, data_path=long), tmp_path / "c").data_path
    data = (cut / "fineweb_val_bytes_000000.bin").read_bytes()
    assert numpy.frombuffer(data, "<i4", 256)[2] == VALIDATION_TOKENS
    assert numpy.array_equal(numpy.frombuffer(data, "<u2", offset=1024), tokens[:VALIDATION_TOKENS] + 1)
