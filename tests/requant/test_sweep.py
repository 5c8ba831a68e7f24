import json

import pytest
import torch
from models import registry
from requant.sweeps import CODE, GRID, no_build, plan, recipe, weights

from pgolf.errors import PgolfError
from pgolf.requant import sweep as sweeps
from pgolf.requant.sweep import run_sweep


def test_every_point_is_quantized_packed_and_scored(swept):
    _, _, lines, found = swept
    fine, coarse = found.points
    assert found.statistics == "collected" and not found.failed
    assert fine["bytes_total"] == fine["artifact_bytes"] + CODE > coarse["bytes_total"]
    assert fine["float"] == coarse["float"] and fine["artifact_sha256"] != coarse["artifact_sha256"]
    assert fine["val_bpb"] != coarse["val_bpb"] and "4 matrices" in fine["receipts"]["gptq"]
    assert [stage for _, stage in lines].count("calibrate") == 1, "statistics are collected once"
    assert [stage for _, stage in lines].count("score weights") == 1


def test_finished_points_are_kept_and_a_stopped_sweep_goes_on(swept, micro_data, tmp_path, monkeypatch):
    _, _, _, whole = swept
    monkeypatch.setattr(sweeps, "make", no_build)
    made, lines = plan(weights(tmp_path), micro_data, tmp_path / "out", GRID)

    def interrupted(recipe, registry, **options):
        if lines[-1][0] == 1:
            raise KeyboardInterrupt
        return no_build(recipe, registry, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(sweeps, "make", interrupted)
        run_sweep(made, registry())
    assert len(list((tmp_path / "out/points").glob("*.json"))) == 1
    lines.clear()
    found = run_sweep(made, registry())
    assert (0, "kept") in lines and (1, "quantize") in lines and (0, "quantize") not in lines
    assert (1, "calibrate") not in lines, "statistics of the stopped sweep are kept, too"
    for point, other in zip(found.points, whole.points, strict=True):
        assert (point["artifact_sha256"], point["val_bpb"]) == (other["artifact_sha256"], other["val_bpb"])


def test_a_damaged_point_is_made_again(swept, monkeypatch):
    folder, made, lines, found = swept
    path = folder / "out/points" / f"{found.points[1]['key']}.json"
    before = json.loads(path.read_text())
    path.write_text(path.read_text()[:40])
    monkeypatch.setattr(sweeps, "make", no_build)
    lines.clear()
    again = run_sweep(made, registry())
    assert (0, "kept") in lines and (1, "quantize") in lines
    assert (
        again.points[1]["artifact_sha256"]
        == before["artifact_sha256"]
        == json.loads(path.read_text())["artifact_sha256"]
    )


def test_statistics_of_the_run_are_taken_unless_they_are_swept(swept, micro_data, tmp_path, monkeypatch):
    folder, made, _, found = swept
    (kept,) = (folder / "out/statistics").glob("*.final_export.pt")
    statistics = torch.load(kept, weights_only=True)[0]
    monkeypatch.setattr(sweeps, "make", no_build)
    checkpoint = weights(tmp_path, statistics=statistics)
    own, lines = plan(checkpoint, micro_data, tmp_path / "out", GRID[:1])
    again = run_sweep(own, registry())
    assert again.statistics == "of the run" and "calibrate" not in [stage for _, stage in lines]
    assert again.points[0]["artifact_sha256"] == found.points[0]["artifact_sha256"]
    batches = [{"gptq_calibration_batches": "1"}, {"gptq_calibration_batches": "2"}]
    swept_too, _ = plan(checkpoint, micro_data, tmp_path / "out", batches)
    assert sweeps.prepare_points(swept_too, registry())[1] is None
    assert made.checkpoint.run is None


def test_a_point_that_fails_is_said_and_tried_again(micro_data, tmp_path, monkeypatch):
    monkeypatch.setattr(sweeps, "make", no_build)
    made, _ = plan(weights(tmp_path), micro_data, tmp_path / "out", GRID[:1])
    from pgolf.requant import engine

    def fail(*arguments):
        raise ValueError("no factor\nof this matrix")

    with monkeypatch.context() as patch:
        patch.setattr(engine, "encode_model", fail)
        found = run_sweep(made, registry())
    assert [point["problem"] for point in found.failed] == ["no factor"]
    assert not run_sweep(made, registry()).failed


def test_settings_that_no_build_takes_are_refused_before_anything_runs(micro_data, tmp_path):
    made, lines = plan(weights(tmp_path), micro_data, tmp_path / "out", [*GRID, {"matrix_bits": "9"}])
    with pytest.raises(PgolfError, match="matrix_bits"):
        run_sweep(made, registry())
    assert not lines


def test_nothing_of_the_process_stays_changed(swept):
    assert torch.get_num_threads() == 1 and not torch.are_deterministic_algorithms_enabled()


def test_the_recipe_of_a_point_is_the_recipe_with_its_settings(swept):
    _, made, _, _ = swept
    point = sweeps.prepare_points(made, registry())[0][0]
    assert point.recipe.settings == {**recipe(gptq_calibration_batches=1).settings, "matrix_clip_sigmas": "6"}
