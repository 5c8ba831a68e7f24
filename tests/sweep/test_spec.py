"""sweep.toml: what is read, and one line for everything that is not understood."""

import re
from pathlib import Path

import pytest
from models import registry
from sweeps import TOML, write

from pgolf.errors import PgolfError
from pgolf.sweep.space import Choices, Range
from pgolf.sweep.spec import Stop, check_space, load_spec

WHOLE = """
name = "lr"
recipe = "base.toml"
[search]
method = "optuna"
trials = 40
seed = 3
[settings]
num_layers = [9, 10]
MATRIX_LR = { low = 0.01, high = 0.1, log = true }
warmup_steps = 5
[plugins]
average = ["", "swa", "ema"]
base = "xsa+pko"
[train]
seeds = [1, 2, 1]
nproc = 8
max_wallclock_seconds = 600
forecast = true
[stop]
first = 60
factor = 4
every = 100
"""


def test_a_whole_file(tmp_path):
    (tmp_path / "base.toml").write_text('name = "base"\nplugins = ["swa"]\n')
    spec = load_spec(write(tmp_path, WHOLE))
    assert spec.space.axes == (
        Choices("num_layers", (9, 10)),
        Range("matrix_lr", 0.01, 0.1, False, True),
        Choices("plugins.average", ("", "swa", "ema")),
    )
    assert dict(spec.space.fixed) == {"warmup_steps": 5, "plugins.base": "xsa+pko"}
    assert (spec.name, spec.recipe.name, spec.method, spec.trials, spec.search_seed) == ("lr", "base", "optuna", 40, 3)
    assert (spec.seeds, spec.nproc, spec.max_wallclock_seconds, spec.forecast) == ((1, 2), 8, 600, True)
    assert spec.stop == Stop(60, 4, "seconds", 100)
    check_space(spec, registry())


def test_defaults(tmp_path):
    spec = load_spec(write(tmp_path))
    assert (spec.name, spec.recipe.name, spec.seeds, spec.nproc, spec.stop) == ("sweep", "baseline", (1337,), 1, None)


FAULTS = {
    "num_layers = 2\n[": "not valid TOML",
    "": "the sweep searches nothing",
    "[settings]\na = 1": "every value is fixed",
    "serch = 1": "unknown key 'serch'.*did you mean search",
    "[settings]\na = [1, 2]\n[search]\nmethod = 'best'": "'best' is none of grid, random, optuna",
    "[settings]\na = [1, 2]\n[search]\nmethod = 'random'": "does not say how many trials",
    "[settings]\na = [1, 2]\n[search]\ntrials = 0": "trials is 0",
    "[settings]\na = [1, 2]\n[search]\ntrials = true": "trials is True, wanted a whole number",
    "[settings]\na = [1, 1]": "has a value twice",
    "[settings]\na = []": "wanted texts, numbers",
    "[settings]\na = [nan]": "wanted finite numbers",
    "[settings]\na = [[1]]": "wanted texts, numbers",
    "[settings]\na = {low = 1}": "is no range.*write",
    "[settings]\na = {low = 2, high = 1}": "is empty",
    "[settings]\na = {low = 0, high = 1, log = true}": "is empty",
    "[settings]\na = {low = 1, high = 3, log = true, step = 1}": "either step or log",
    "[settings]\na = {low = 1, high = inf}": "is empty",
    "[settings]\na = {low = 1, high = 2, most = 3}": "is no range",
    "[plugins]\na = [1]": "wanted names such as",
    "[plugins]\na = {low = 1, high = 2}": "wanted names such as",
    "settings = 3": "settings is 3, wanted a table",
    "[settings]\na = [1, 2]\n[train]\nnproc = 3": "3 is none of 1, 2, 4, 8",
    "[settings]\na = [1, 2]\n[train]\nseeds = ['x']": "wanted whole numbers",
    "[settings]\na = [1, 2]\n[train]\nmax_wallclock_seconds = -1.0": "max_wallclock_seconds is -1.0",
    "[settings]\na = [1, 2]\n[stop]\nfirst = 10": "needs first and every",
    "[settings]\na = [1, 2]\n[stop]\nfirst = 10\nevery = 5\nfactor = 1": "factor above 1",
    "[settings]\na = [1, 2]\n[stop]\nfirst = 10\nevery = 5\nclock = 'days'": "'days' is none of",
    "recipe = 'nothing.toml'\n[settings]\na = [1, 2]": "cannot read the recipe",
}


@pytest.mark.parametrize("text", FAULTS)
def test_faults_are_one_line(tmp_path, text):
    with pytest.raises(PgolfError) as caught:
        load_spec(write(tmp_path, text))
    error = caught.value
    assert re.search(FAULTS[text], f"{error.message} {error.hint}"), (error.message, error.hint)
    assert "\n" not in error.message and error.where


def test_a_file_that_is_none(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(PgolfError, match="cannot read the sweep"):
            load_spec(path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PgolfError, match="cannot read the sweep"):
        load_spec(tmp_path / "bytes.toml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"ema"', '"emma"', "there is no plugin 'emma'"),
        ("num_layers = [2, 3]", "num_layer = [2, 3]", "no plugin has a setting 'num_layer'"),
        ("num_layers = [2, 3]", "num_layers = [2, 'many']", "num_layers"),
        ("num_layers = [2, 3]", "num_layers = [0, 3]", "num_layers"),
    ],
)
def test_names_and_types_are_checked_before_anything_runs(tmp_path, old, new, said):
    spec = load_spec(write(tmp_path, TOML.replace(old, new)))
    with pytest.raises(PgolfError, match=said):
        check_space(spec, registry())


def test_the_example_of_the_page_is_a_sweep(tmp_path):
    text = (Path(__file__).parents[2] / "docs/sweeps.md").read_text()
    example = re.search(r"```toml\n(.*?)```", text, re.S)[1]
    spec = load_spec(write(tmp_path, example.replace('"submissions/pr1512"', f'"{tmp_path / "base.toml"}"'))) if (
        (tmp_path / "base.toml").write_text("plugins = ['swa']\n")
    ) else None  # fmt: skip
    check_space(spec, registry())
    assert spec.stop is not None and spec.method == "optuna"
