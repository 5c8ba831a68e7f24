"""Each family of logs, and the oddities that were seen in them."""

import gzip
import io
import time

import pytest
from foreign import SCRIPT, TOKENS, baseline_log, compact_log, table_log

from pgolf.logs import LogUnreadable, parse_log, read_log
from pgolf.logs.parse import BYTE_LIMIT


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


def test_a_time_stamp_before_every_line():
    assert parse_log(table_log(7, prefix="1776142360.540 ")) == parse_log(table_log(7))


def test_several_runs_in_one_file_are_the_last_one():
    run = parse_log(baseline_log(1, 1.2, model=1) + baseline_log(2, 1.1, model=2))
    assert (run.runs, run.seed, run.model_bytes, run.headline.val_bpb) == (2, 2, 2, "1.10000000")
    assert len(run.finals) == 2 and len(run.train) == 3


def test_totals_without_a_format_word():
    total = "Total submission size: {} bytes\n"
    assert parse_log("seed:1\n" + total.format(67_000_000)).total_bytes is None
    assert parse_log("seed:1\n" + total.format(67_000_000) + total.format(15_000_000)).total_bytes == 15_000_000
    assert parse_log("seed:1\n" + 2 * total.format(67_000_000)).total_bytes is None  # every line twice
    both = "Total submission size int8+zlib: 5 bytes\n" + total.format(6) + total.format(7)
    assert parse_log(both).total_bytes == 5


def test_other_forms_of_sizes():
    assert parse_log("INT7+zlib model: 15370972 bytes | Total submission: 15441941 bytes\n").total_bytes == 15_441_941
    run = parse_log("total_submission_bytes:15531548\ncode_bytes:58608\n")
    assert (run.total_bytes, run.code_bytes) == (15_531_548, 58_608)


@pytest.mark.parametrize(
    "line",
    [
        "ttt_sliding:done val_loss=2.1 val_bpb=1.0 elapsed=3.0s",
        "ttt_chunk [3/9] val_loss:2.1 val_bpb:1.0",
        "    f'final_int8_zlib_roundtrip val_loss:{loss:.4f} val_bpb:1.0'",
        "pre-quantization post-ema val_loss:2.1 val_bpb:1.0 eval_time:3ms",
        "DIAGNOSTIC post_swa val_loss:2.1 val_bpb:1.0 eval_time:3ms",
        "note: final_int6_ttt val_loss:2.1 val_bpb:1.0",
    ],
)
def test_lines_after_the_last_result_that_are_none(line):
    assert parse_log(baseline_log(1, 1.2) + line + "\n").headline.val_bpb == "1.20000000"


def test_labels_mislead_and_are_kept():
    run = parse_log("final_int8_zlib_roundtrip_exact sliding val_loss:2.1 sliding val_bpb:1.24\n")
    assert run.headline.label == "final_int8_zlib_roundtrip sliding" and run.headline.exact


def test_the_time_of_an_exact_line_is_that_of_a_line_with_its_numbers():
    text = "final_a val_loss:2.1000 val_bpb:1.2000 eval_time:5ms\nfinal_b_exact val_loss:2.10001 val_bpb:1.20001\n"
    assert parse_log(text).eval_ms == 5.0
    other = "final_b val_loss:2.5000 val_bpb:1.3000 eval_time:9ms\n"
    assert parse_log(other + text).eval_ms == 5.0


def test_four_digits_at_the_end_are_no_twin_of_other_digits():
    run = parse_log("final_x_exact val_loss:2.20000000 val_bpb:1.30000000\nfinal_x val_loss:2.1 val_bpb:1.2000\n")
    assert run.headline.val_bpb == "1.2000"


def test_self_made_text_for_calibration():
    text = "gptq:generating autoregressive calibration data (64 seqs)\ngptq:generated 64 sequences in 231.0s\n"
    found = parse_log(baseline_log(1, calibration=text.splitlines())).calibration
    assert (found.source, found.seconds) == ("self", 231.0)


def test_values_without_a_loss_are_apart():
    run = parse_log(baseline_log(1) + 'sliding_window_eval val_bpb:1.0712\n  "post_ttt_val_bpb": 1.0699,\n')
    assert run.bare_bpb == ["1.0712", "1.0699"]
    assert parse_log("ttt:done val_loss=2.1 val_bpb=1.05 elapsed=3s\n").bare_bpb == ["1.05"]
    assert parse_log("ttt_chunk [3/9] bpb=1.05 time=9.9s\nngram [3/9] 12.0% bpb=1.05\n").bare_bpb == []
    assert run.headline.label == "final_int6_sliding_window"


def test_gzip(tmp_path):
    packed = gzip.compress(table_log(3).encode())
    (tmp_path / "a.log.gz").write_bytes(packed)
    assert read_log(tmp_path / "a.log.gz") == parse_log(table_log(3)) == read_log(io.BytesIO(packed))
    with pytest.raises(LogUnreadable):
        read_log(io.BytesIO(packed[:200]))


@pytest.mark.parametrize(
    "text", [b"\xff\xfe\x00" * 100, b"step:" * 10**6, b"\n" * 10**6, b"9" * 10**6 + b"/1 train_loss:1"]
)
def test_odd_bytes_are_no_run(text):
    begin = time.monotonic()
    assert not read_log(io.BytesIO(text)).is_run
    assert time.monotonic() - begin < 20


def test_a_huge_file_is_read_up_to_a_limit(monkeypatch):
    monkeypatch.setattr("pgolf.logs.parse.BYTE_LIMIT", 5000)
    run = read_log(io.BytesIO(baseline_log(1).encode() + b"x" * 10_000 + b"\nseed:9\n"))
    assert not run.complete and run.seed == 1
    monkeypatch.setattr("pgolf.logs.parse.LINE_COUNT", 3)
    assert not parse_log(baseline_log(1)).complete
    assert BYTE_LIMIT <= 2**28


def test_a_bomb_is_not_unpacked_whole(monkeypatch):
    monkeypatch.setattr("pgolf.logs.parse.BYTE_LIMIT", 2**20)
    assert not read_log(io.BytesIO(gzip.compress(b"a line of text\n" * 10**6))).complete
