import json
from types import SimpleNamespace

import pytest
import torch
from click.testing import CliRunner
from models import TINY, registry

from pgolf.cli.main import main
from pgolf.forecast import forecast as forecasts
from pgolf.recipe import Recipe
from pgolf.resolve import resolve

SIZES = {**TINY, "model_dim": 64, "num_layers": 2, "mlp_hidden": 1200}


@pytest.fixture(autouse=True)
def no_build(monkeypatch):
    """A file of 7,000 bytes that takes no time."""

    def make(recipe, known, **options):
        return SimpleNamespace(resolved=resolve(recipe, known), built=SimpleNamespace(code=bytes(7000)))

    monkeypatch.setattr(forecasts, "make", make)


def recipe(**settings):
    return Recipe("tiny", layers=(("sdclip",),), settings={**SIZES, **settings})


def test_file_and_artifact_are_held_against_the_cap():
    found = forecasts.forecast(recipe(), registry(), None, None)
    record = found.as_record()
    assert record["bytes_total"] == 7000 + record["artifact_bytes"] and record["left"] == 16_000_000 - found.total
    assert found.fits and record["classes"]["mlp"]["elements"] == 4 * 64 * 1200
    assert (
        0.009 * record["artifact_bytes"] < record["uncertainty_bytes"] < 0.1 * record["artifact_bytes"]
        and record["certain"]
    )


def test_steps_are_those_of_the_recipe_or_what_the_clock_leaves():
    def steps(**settings):
        return forecasts.forecast(recipe(**settings), registry(), None, None).steps

    assert steps(iterations=30, max_wallclock_seconds=0) == 30
    assert steps(iterations=20000, max_wallclock_seconds=600) == forecasts.USUAL_STEPS
    assert forecasts.forecast(recipe(), registry(), 12, None).steps == 12


def command(*words):
    sizes = [word for name, value in SIZES.items() for word in ("--set", f"{name}={value}")]
    return CliRunner().invoke(main, ["forecast", "--plugins", "int6", *sizes, *map(str, words)])


def test_weights_of_another_run_say_how_large_they_become(tmp_path):
    torch.save({f"blocks.{layer}.mlp.fc.weight": torch.randn(1200, 64) * 0.5 for layer in (0, 1)}, tmp_path / "w.pt")
    small, large = (
        json.loads(command("--json", "--steps", 2, *words).stdout) for words in ((), ("--like", tmp_path / "w.pt"))
    )
    assert large["classes"]["mlp"]["bits"] > small["classes"]["mlp"]["bits"] + 0.5
    assert large["walks"]["mlp.fc"] == [0.0, pytest.approx(0.5, rel=0.02)]


def test_the_command_says_whether_it_fits(monkeypatch):
    shown = command()
    assert shown.exit_code == 0 and "bytes left" in shown.stdout and "bits each" in shown.stdout
    monkeypatch.setattr(forecasts, "find_challenge", lambda name: SimpleNamespace(artifact_cap=100_000))
    shown = command()
    assert shown.exit_code == 1 and "does not fit" in shown.stdout and "too many" in shown.stdout
    total = json.loads(command("--json").stdout)["bytes_total"]
    monkeypatch.setattr(forecasts, "find_challenge", lambda name: SimpleNamespace(artifact_cap=total + 100))
    shown = command()
    assert shown.exit_code == 0 and "fits, 100 bytes left: too near to be sure" in shown.stdout


@pytest.mark.parametrize("words", [("--set", "nothing=1"), ("--steps", "-1"), ("no/recipe.toml",)])
def test_bad_input_is_status_2(words):
    assert command(*words).exit_code == 2
