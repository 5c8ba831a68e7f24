"""What ablations have kept is read as it was measured; damaged or mixed runs are a problem, not a figure."""

import json

import pytest

from pgolf.ablate.kept import is_ablation, read_kept

KEY = {"code_sha256": "0", "iterations": 4, "nproc": 1}


def keep(folder, variant, scores, **key):
    """Runs by seed as `pgolf ablate` writes them."""
    runs = folder / variant / "runs"
    runs.mkdir(parents=True)
    (folder / variant / "train_gpt.py").write_bytes(b"x" * (10 if variant == "base" else 14))
    for seed, score in scores.items():
        run = {"seed": seed, "val_bpb": score, "bytes_total": 100, "steps": 4, "train_seconds": 8.0}
        document = {"key": {**KEY, "code_sha256": variant, **key}, "run": run}
        (runs / f"seed{seed}.json").write_text(json.dumps(document))
    return folder


@pytest.fixture
def folder(tmp_path):
    keep(tmp_path, "base", {1: 1.0, 2: 1.2})
    return keep(tmp_path, "-a", {1: 1.1, 2: 1.3})


def test_pairs_are_those_that_were_measured(folder):
    found = read_kept(folder)
    assert is_ablation(folder) and not is_ablation(folder / "base")
    assert [one.name for one in found.outcomes] == ["base", "-a"] and not found.failed
    assert found.noise == pytest.approx(0.1414, abs=1e-4)
    effect = found.outcomes[1].effect
    assert effect.seeds == 2 and effect.bpb == pytest.approx(0.1) and effect.code_bytes == 4


def test_a_stopped_ablation_says_what_is_missing(folder):
    (folder / "+b" / "runs").mkdir(parents=True)
    found = read_kept(folder)
    assert [one.problem for one in found.failed] == ["no run yet"]


def test_runs_with_other_options_are_no_pairs(folder):
    keep(folder, "-b", {1: 0.5}, iterations=400)
    (other,) = read_kept(folder).failed
    assert other.effect is None and other.problem == "its runs had other options than the base's"
    keep(folder, "-c", {1: 1.0})
    (folder / "-c" / "runs" / "seed2.json").write_text((folder / "-b" / "runs" / "seed1.json").read_text())
    assert "its runs had different options" in [one.problem for one in read_kept(folder).failed]


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"key": {}, "run": {"seed": 1}}', "\0" * 99])
def test_a_damaged_run_is_a_problem(folder, text):
    (folder / "-a" / "runs" / "seed2.json").write_text(text)
    (bad,) = read_kept(folder).failed
    assert bad.problem == "seed2.json is no run" and bad.effect is None
