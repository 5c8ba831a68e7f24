"""The profile of a recipe: its rows, and what goes wrong with its program."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from models import registry

from pgolf.cli.main import main
from pgolf.errors import PgolfError
from pgolf.profile.profile import Order, profile
from pgolf.recipe import Recipe
from pgolf.run.data import DataPaths
from pgolf.testing import MICRO


def paths(data):
    return DataPaths(data.data_path, data.tokenizer_path)


def measured(data, order=None, *plugins, **settings):
    recipe = Recipe(
        "tiny",
        layers=(plugins or ("xsa", "layer_loop"),),
        settings={**MICRO, "loop_start": 1, "loop_end": 2, **settings},
    )
    return profile(recipe, registry(), paths(data), order or Order(), (), False)


@pytest.mark.ci
def test_every_plugin_has_its_time_and_its_bytes(micro_data, tmp_path):
    found = measured(micro_data, Order(steps=1, trace=tmp_path / "trace.json"))
    rows = {row.name: row for row in found.rows}
    for name in ("xsa", "tanh_softcap", "cross_entropy", "relu2"):
        assert rows[name].milliseconds["forward"] > 0 and rows[name].milliseconds["backward"] > 0, name
    assert rows["muon"].milliseconds["optimizer"] > 0 and "forward" not in rows["muon"].milliseconds
    assert rows["sequential_loader"].milliseconds["data"] > 0
    assert rows["xsa"].milliseconds["score"] > 0 and rows["zlib"].milliseconds["export"] > 0
    assert rows["matrix mlp.fc"].milliseconds["backward"] > 0 and rows["matrix mlp.fc"].code_bytes == 0
    assert rows["layer_loop"].code_bytes > 0 and rows["engine"].code_bytes > rows["xsa"].code_bytes > 0
    assert rows["layer_matrices"].parameters > rows["residual_scales"].parameters > 0
    assert found.run["phases"] == ["loop"] and found.run["step_ms"] > 0 and found.run["device"] == "cpu"
    step = sum(found.total(stage) for stage in ("data", "forward", "backward", "optimizer"))
    assert 0.3 < step / found.run["profiled_step_ms"] < 1.5, "what is named is about what a step takes"
    assert any(
        "plugin xsa" in event.get("name", "")
        for event in json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    )
    json.dumps(found.as_record())


@pytest.mark.ci
def test_errors_of_the_program_are_one_line(micro_data, tmp_path):
    with pytest.raises(PgolfError, match="there is no phase looping") as caught:
        measured(micro_data, Order(phases=("looping",)))
    assert caught.value.hint == "the recipe has loop"
    (tmp_path / "none").mkdir()
    with pytest.raises(PgolfError, match="the profiled program ended with status 2: error") as caught:
        measured(DataPaths(tmp_path / "none", micro_data.tokenizer_path))
    assert caught.value.code == "PG005" and "\n" not in caught.value.message


@pytest.mark.ci
def test_the_command_prints_a_table(micro_data, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("plugins = []\n[settings]\n" + "".join(f"{key} = {value!r}\n" for key, value in MICRO.items()))
    given = ["--data", str(micro_data.data_path), "--tokenizer", str(micro_data.tokenizer_path)]
    done = CliRunner().invoke(main, ["profile", str(recipe), *given, "--no-export", "--steps", "1", "--phases", "none"])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert (
        any(line.split()[:1] == ["muon"] for line in lines)
        and "tokens/s" in done.stdout
        and "export" not in done.stdout
    )
    assert Path(recipe).exists()
