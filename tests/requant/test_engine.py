"""A point is what a build exports and scores: the packed file, in a process of its own, makes the same artifact and score."""

import hashlib
import re
import shutil

import pytest
from models import registry
from requant.sweeps import PLUGINS, plan

from pgolf.recipe import Recipe
from pgolf.requant.checkpoint import read_checkpoint
from pgolf.requant.sweep import prepare_points, run_sweep
from pgolf.submission import make
from pgolf.testing import run_program

CHOSEN = (*PLUGINS, "lqer", "fit_clips", "sliding_eval")
SETTINGS = {"gptq_calibration_batches": 1, "eval_stride": 8, "fit_target_bytes": 266_000, "lqer_top_k": 2}
GRID = [{"matrix_clip_sigmas": "6", "lqer_rank": "2"}, {"matrix_clip_sigmas": "12.85", "lqer_rank": "4"}]


def built(recipe: Recipe, folder):
    """The packed file of a recipe."""
    folder.mkdir()
    (folder / "train_gpt.py").write_bytes(make(recipe, registry()).built.code)
    return folder / "train_gpt.py"


def outcome(folder, lines):
    """(artifact's hash, exact BPB, bytes in all) of a program's run."""
    (artifact,) = folder.glob("final_model.*.ptz")
    digest = hashlib.sha256(artifact.read_bytes()).hexdigest()
    assert f"artifact_sha256:{digest}" in lines
    exact = [re.search(r"_exact val_loss:\S+ val_bpb:(\S+)", line) for line in lines]
    total = [re.fullmatch(r"Total submission size \S+: (\d+) bytes", line) for line in lines]
    return digest, float([match[1] for match in exact if match][-1]), int([match[1] for match in total if match][-1])


@pytest.mark.slow
@pytest.mark.parametrize("statistics", ["of the run", "collected"])
def test_a_point_equals_build_export_and_score_bit_for_bit(statistics, micro_data, tmp_path):
    trained = tmp_path / "trained"
    (tmp_path / "weights").mkdir()
    draft, _ = plan(None, micro_data, tmp_path / "out", GRID, *CHOSEN, **SETTINGS)
    program = built(draft.recipe, tmp_path / "program")
    done = run_program(program, trained, micro_data)
    assert done.status == 0, done.output
    first = outcome(trained, done.lines)
    for name in ("final_model.pt", "final_export.pt")[: 1 + (statistics == "of the run")]:
        shutil.copy(trained / name, tmp_path / "weights")
    made, _ = plan(read_checkpoint(tmp_path / "weights"), micro_data, tmp_path / "out", GRID, *CHOSEN, **SETTINGS)
    found = run_sweep(made, registry())
    assert found.statistics == statistics and not found.failed
    points, _ = prepare_points(made, registry())
    for point, result in zip(points, found.points, strict=True):
        folder = tmp_path / point.key
        folder.mkdir()
        shutil.copy(trained / "final_model.pt", folder)
        kept = tmp_path / f"out/statistics/{point.statistics_key}.final_export.pt"
        shutil.copy(kept if statistics == "collected" else trained / "final_export.pt", folder / "final_export.pt")
        exported = run_program(built(point.recipe, folder / "built"), folder, micro_data, "export")
        assert exported.lines, exported.output
        wanted = result["artifact_sha256"], result["val_bpb"], result["bytes_total"]
        assert outcome(folder, exported.lines) == wanted
        is_the_run = statistics == "of the run" and point is points[1]
        assert (wanted == first) == is_the_run, "with its own settings and statistics a run's artifact comes back"
    fitted = [point["receipts"]["fit_clips"] for point in found.points]
    assert "times as coarse" in fitted[0], "the budget must bind somewhere, or code bytes did not matter"
    assert "nothing changed" in fitted[1] and 265_000 < found.points[0]["bytes_total"] <= 266_000
