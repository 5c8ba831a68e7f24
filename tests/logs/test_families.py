"""Each family of logs, and the oddities that were seen in them."""

import pytest
from foreign import SCRIPT, TOKENS, baseline_log, compact_log, table_log

from pgolf.logs import parse_log


def test_baseline():
    run = parse_log(baseline_log(42, 1.0801))
    assert (run.family, run.seed, run.world_size, run.steps) == ("baseline", 42, 8, 6600)
    assert (run.train_ms, run.eval_ms, run.val_tokens) == (600_021.0, 90_000.0, TOKENS)
    assert (run.raw_model_bytes, run.model_bytes, run.model_format) == (106_000_000, 15_000_000, "int6+zstd")
    assert run.total_bytes == run.model_bytes + run.code_bytes and run.hardware == "8x NVIDIA H100 80GB HBM3"
    assert run.headline.val_bpb == "1.08010000" and run.headline.label == "final_int6_sliding_window"
    assert len(run.diagnostics) == 1 and len(run.vals) == 2 and sorted(run.early) == [1, 2, 3]
    assert (run.peak_mib, run.pytorch, run.max_wallclock_seconds) == (22846, "2.9.1+cu128", 600.0)


def test_table():
    run = parse_log(table_log(7, 1.07))
    assert (run.family, run.seed, run.world_size, run.steps) == ("table", 7, 8, 4921)
    assert (run.train_ms, run.eval_ms) == (596_100.0, 480_000.0)
    assert (run.code_bytes, run.code_bytes_uncompressed) == (28_000, len(SCRIPT))
    assert run.total_bytes == 15_928_000 and run.train[-1].train_ms == pytest.approx(594_000)
    assert run.headline.label == "quantized_ttt_phased" and run.hyperparameters["max_wallclock_seconds"] == "600.0"
    found = run.calibration
    assert (found.source, found.seconds, found.reserved, found.after_stop) == ("train", 3.4, True, True)


def test_stages_of_a_run():
    lines = ["stage:train begin:0ms end:588012ms data:train", "stage:score begin:9ms end:10ms data:val", "stage:bad"]
    lines += ["stage:calibration begin:588012ms end:591010ms data:train batches:16"]
    found = parse_log(baseline_log(1, calibration=[*lines, "reserve_seconds:12.000"]))
    assert found.stages == [
        ("train", 0.0, 588012.0, "train"),
        ("score", 9.0, 10.0, "val"),
        ("calibration", 588012.0, 591010.0, "train"),
    ]
    assert found.calibration.reserved
    assert len(parse_log(baseline_log(1, calibration=lines * 100)).stages) == 64


def test_compact():
    run = parse_log(compact_log(9))
    assert (run.family, run.seed, run.world_size, run.steps) == ("compact", 9, 8, 6530)
    assert (run.total_bytes, run.code_bytes, run.eval_ms) == (15_993_853, 70_853, 429_311.0)
    assert run.headline.val_bpb == "1.1565" and run.hyperparameters["vocab_size"] == "8192"
