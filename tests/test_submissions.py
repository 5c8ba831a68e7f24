"""Every folder of submissions/: its recipe resolves, builds at full size as its lock says, and trains at micro size.

The locks are written by

    pytest -q tests/test_submissions.py tests/test_golden.py -m "slow or not slow" --update-golden
"""

import functools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lrzip_program import needs_lrzip
from micro import MICRO, TUNED, micro, run_program
from models import registry
from test_plugin_contracts import SIZES
from zstandard_package import needs_zstandard

from pgolf.bundle.pipeline import build
from pgolf.lock import LOCK_NAME, differences, file_hash, python_version, read_lock, tool_versions
from pgolf.recipe import load_recipe
from pgolf.resolve import resolve
from pgolf.select import select
from pgolf.submission import RECIPE_NAME, smoke_recipe

FOLDER = Path(__file__).parent.parent / "submissions"
NAMES = sorted(path.parent.name for path in FOLDER.glob(f"*/{RECIPE_NAME}"))
NEEDED = {"pergroup": needs_lrzip, "zstd": needs_zstandard}
"""What has to be there for a plugin's artifact to be written."""
SIZED = {
    *MICRO,
    *SIZES,
    *TUNED,
    "data_path",
    "eval_seq_len",
    "fp16_keep_name_patterns",
    "int6_layers",
    "mlp_hidden",
    "tokenizer_path",
}
"""Settings that are sizes: at micro size they are those of other tests."""


@functools.cache
def recipe(name):
    return load_recipe(FOLDER / name)


def plugins(name):
    return {plugin for layer in recipe(name).layers for plugin in layer}


def marked(name, *marks):
    return pytest.param(name, marks=[*marks, *(NEEDED[plugin] for plugin in sorted(plugins(name) & set(NEEDED)))])


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_resolves(name):
    """Under its folder's name, with notes, and with nothing that the baseline has anyway."""
    chosen = resolve(recipe(name), registry()).selection
    assert recipe(name).name == name and recipe(name).notes
    assert plugins(name) <= set(chosen.plugins), "a plugin that another one pushes out has no place in a recipe"


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_has_a_smoke_form(name):
    """Nothing that `pgolf train --smoke` makes smaller contradicts what the recipe says."""
    small = smoke_recipe(recipe(name), registry())
    assert set(resolve(small, registry()).selection.plugins) == set(select(recipe(name), registry()).plugins)


def held_by_another(name):
    """Another recipe has all of its plugins; of two with the same ones, the first."""
    own = plugins(name)
    return any(own < plugins(other) or (own == plugins(other) and other < name) for other in NAMES if other != name)


@pytest.mark.parametrize(
    "name", [marked(name, pytest.mark.slow if held_by_another(name) else pytest.mark.ci) for name in NAMES]
)
def test_a_recipe_trains_at_micro_size(name, tmp_path, micro_data):
    """With all settings that are no sizes; a plugin that does nothing ends the run."""
    kept = {key: value for key, value in recipe(name).settings.items() if key not in SIZED}
    small = micro(*sorted(plugins(name)), **kept)
    program = tmp_path / "train_gpt.py"
    program.write_bytes(build(small.entry, small.find_source, pack="plain").code)
    data = micro_data.side_files if "SideFileBytes" in small.entry else micro_data
    done = run_program(program, tmp_path, data)
    assert done.status == 0, done.output[-3000:]
    receipts = {line.split()[1].rstrip(":") for line in done.lines if line.startswith("receipt ")}
    assert plugins(name) <= receipts
    assert any("_exact " in line for line in done.lines)


def pgolf(*arguments, statuses=(0,)):
    """The command as people give it; what it prints."""
    done = subprocess.run([sys.executable, "-m", "pgolf.cli", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode in statuses, (arguments, done.stdout[-2000:] + done.stderr[-3000:])
    return done.stdout


def check_lock(name, made):
    """The lock that is kept is what a folder built now has; whether that can be told."""
    kept, lock = read_lock(FOLDER / name), read_lock(made)
    assert kept.recipe == lock.recipe and kept.recipe_sha256 == lock.recipe_sha256 == file_hash(
        FOLDER / name / RECIPE_NAME
    )
    assert kept.settings["vocab_size"] == lock.settings["vocab_size"]
    if (kept.python, kept.tools) != (python_version(), tool_versions(kept.pack["name"])):
        return False
    assert differences(kept, registry()) == []
    assert {**kept.stages, "pack": 0} == {**lock.stages, "pack": 0}
    return True


@pytest.mark.ci
def test_all_recipes_are_built_side_by_side_as_their_locks_say(tmp_path, pytestconfig):
    root = tmp_path / "submissions"
    for name in NAMES:
        (root / name).mkdir(parents=True)
        shutil.copy(FOLDER / name / RECIPE_NAME, root / name)
    found = json.loads(pgolf("build", "--all", root, "--json"))["recipes"]
    assert not [one for one in found if one["error"]]
    entries = {Path(one["recipe"]).name: one for one in found}
    assert {*entries} == {*NAMES}
    unknown = []
    for name, one in entries.items():
        assert file_hash(root / name / "train_gpt.py") == one["sha256"] == read_lock(root / name).code_sha256
        assert one["code_bytes"] < 100_000
        if pytestconfig.getoption("--update-golden"):
            shutil.copy(root / name / LOCK_NAME, FOLDER / name)
        if not check_lock(name, root / name):
            unknown.append(name)
    if unknown:
        pytest.skip(f"locks of another Python, which prints syntax trees differently, or of other tools: {unknown}")


@pytest.mark.slow
@pytest.mark.parametrize("name", [marked(name) for name in NAMES])
def test_a_recipe_goes_all_the_way(name, tmp_path):
    """Built at smoke size, trained, packaged and verified as people do it, with nothing that fails."""
    folder = tmp_path / "it"
    pgolf("build", "--smoke", FOLDER / name, "-o", folder)
    pgolf("train", folder)
    pgolf("package", folder, "--author", "Ada", "--github-id", "ada")
    report = json.loads(pgolf("verify", folder, "--json", statuses=(0, 1)))
    failed = {row["id"]: row["message"] for row in report["checks"] if row["status"] == "FAIL"}
    rows = {row["id"]: row["status"] for row in report["checks"]}
    assert failed == {} and rows["lock.rebuild"] == rows["log.receipts"] == rows["log.artifact"] == "PASS", failed
