"""Pairs: what is run and kept, and what the figures are."""

import json
import math
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from folders import fake_lock

from pgolf.ablate import ablate
from pgolf.ablate.ablate import Run, compare, run_pairs
from pgolf.ablate.variants import Variant
from pgolf.cli.main import main
from pgolf.run.data import DataPaths
from pgolf.run.launch import RunOptions
from pgolf.testing import MICRO


def variant(name, code):
    """A build that needs no plugins."""
    recipe = b"# Written by pgolf build\n"
    lock = fake_lock(code, recipe)
    built = SimpleNamespace(code=code, sha256=lock.code_sha256, dumps={})
    from pgolf.recipe import Recipe

    made = SimpleNamespace(
        lock=lock, recipe_text=recipe.decode(), built=built, resolved=SimpleNamespace(recipe=Recipe("toy"))
    )
    return Variant(name, made)


SCORES = {("base", 1): 1.50, ("base", 2): 1.52, ("base", 3): 1.48, ("-a", 1): 1.51, ("-a", 2): 1.54, ("-a", 3): 1.48}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """(folder, variants, options, runs that were made, scores): runs are made up."""
    made, scores = [], dict(SCORES)

    def run_seed(target, seed, options, line):
        key = target.root.name, seed
        made.append(key)
        score = scores[key]
        if isinstance(score, str):
            return SimpleNamespace(problem=score, record=None)
        size = 1000 if key[0] == "base" else 900
        record = SimpleNamespace(
            headline=SimpleNamespace(val_bpb=str(score)), total_bytes=size, steps=10, train_ms=2000.0
        )
        return SimpleNamespace(problem="", record=record)

    monkeypatch.setattr(ablate, "run_seed", run_seed)
    monkeypatch.setattr(ablate, "check_ready", lambda target: None)
    variants = [variant("base", b"one = 1\n"), variant("-a", b"two\n")]
    options = RunOptions(DataPaths(tmp_path, tmp_path / "model"))
    return tmp_path / "out", variants, options, made, scores


def test_pairs_are_of_one_seed(place):
    folder, variants, options, made, _ = place
    found = run_pairs(variants, (1, 2, 3), options, folder, print)
    assert made == [(name, seed) for seed in (1, 2, 3) for name in ("base", "-a")], (
        "all variants with the first seed first"
    )
    base, other = found.outcomes
    assert base.effect is None and found.noise == pytest.approx(0.02)
    effect = other.effect
    assert effect.bpb == pytest.approx(0.01) and effect.error == pytest.approx(0.01 / math.sqrt(3))
    assert effect.p == pytest.approx(0.2254, abs=1e-3), "t = 1.732 with two degrees of freedom"
    assert (effect.bytes, effect.code_bytes, effect.step_seconds) == (-100, -4, 0.0)
    assert not found.failed


def test_runs_are_kept_and_more_seeds_only_add(place):
    folder, variants, options, made, _ = place
    said = []
    run_pairs(variants, (1,), options, folder, said.append)
    made.clear()
    found = run_pairs(variants, (1, 2), options, folder, said.append)
    assert made == [("base", 2), ("-a", 2)] and any("kept" in line for line in said)
    assert found.outcomes[1].effect.seeds == 2
    made.clear()
    (folder / "-a/runs/seed1.json").write_text("{")
    run_pairs([variants[0], variant("-a", b"two\n")], (1,), options, folder, said.append)
    assert made == [("-a", 1)], "a damaged one is made again"
    made.clear()
    run_pairs([variants[0], variant("-a", b"three\n")], (1,), options, folder, said.append)
    assert made == [("-a", 1)], "so is one of another file"
    made.clear()
    run_pairs(variants[:1], (1,), RunOptions(options.data, iterations=5), folder, said.append)
    assert made == [("base", 1)], "and one with other options"


def test_a_run_that_fails_is_named_and_the_others_go_on(place):
    folder, variants, options, made, scores = place
    scores["-a", 1] = "RuntimeError: out of memory"
    found = run_pairs([*variants, Variant("-b", None, problem="needed by c")], (1, 2), options, folder, print)
    assert made == [("base", 1), ("-a", 1), ("base", 2)]
    assert [(one.name, one.problem) for one in found.failed] == [
        ("-a", "seed 1: RuntimeError: out of memory"),
        ("-b", "needed by c"),
    ]
    document = json.loads(json.dumps(found.as_record(), allow_nan=False))
    assert document["variants"][1]["effect"] is None and document["noise"] == pytest.approx(0.0141, abs=1e-3)


def test_one_seed_has_no_error_and_equal_runs_have_no_effect():
    one, two = {1: Run(1, 1.5, 10, 5, 1.0)}, {1: Run(1, 1.4, 8, 5, 2.0), 2: Run(2, 1.3, 8, 5, 2.0)}
    found = compare(one, two, 3)
    assert found.seeds == 1 and found.bpb == pytest.approx(-0.1) and math.isnan(found.error) and math.isnan(found.p)
    assert found.step_seconds == pytest.approx(0.2)
    assert compare(two, two, 0).p == 1.0 and compare(one, {3: one[1]}, 0) is None


def test_nothing_to_compare_is_a_usage_error():
    done = CliRunner().invoke(main, ["ablate", "--smoke"])
    assert done.exit_code == 2 and "--drop each" in done.stderr


@pytest.mark.slow
def test_the_command_runs_real_pairs(micro_data, tmp_path):
    recipe = tmp_path / "recipe.toml"
    lines = ["plugins = ['xsa']", "[settings]", *(f"{key} = {value!r}" for key, value in MICRO.items())]
    recipe.write_text("\n".join(lines) + "\n")
    given = ["ablate", str(recipe), "--drop", "each", "--data", str(micro_data.data_path), "--seeds", "1,2"]
    given += ["--tokenizer", str(micro_data.tokenizer_path), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(main, [*given, "--markdown"])
    assert done.exit_code == 0, done.output
    rows = [line.split(" | ") for line in done.stdout.splitlines()]
    assert [row[0] for row in rows] == ["| variant", "| ---", "| base", "| -xsa"] and int(rows[3][7]) < 0
    again = CliRunner().invoke(main, [*given, "--json"])
    document = json.loads(again.stdout)
    assert again.stderr.count("kept") == 4 and document["variants"][1]["effect"]["seeds"] == 2
    assert document["variants"][1]["effect"]["bpb"] == pytest.approx(float(rows[3][3]), abs=1e-4)
