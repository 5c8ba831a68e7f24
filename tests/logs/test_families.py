"""Each family of logs, and the oddities that were seen in them."""

import gzip
import io
import time

import pytest
from foreign import SCRIPT, TOKENS, baseline_log, compact_log, table_log

from pgolf.logs import Budget, LogUnreadable, parse_log, parse_runs, read_log, read_runs
from pgolf.logs.lines import BYTE_LIMIT


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


def test_a_huge_file_is_read_up_to_a_limit():
    (run,) = read_runs(io.BytesIO(baseline_log(1).encode() + b"x" * 10_000 + b"\nseed:9\n"), Budget(5000))
    assert not run.complete and run.seed == 1
    (run,) = read_runs(io.BytesIO(baseline_log(1).encode()), Budget(lines=3))
    assert not run.complete
    assert BYTE_LIMIT <= 2**28


def test_logs_share_a_budget():
    budget, log = Budget(lines=40), baseline_log(1).encode()
    assert [read_runs(io.BytesIO(log), budget)[0].complete for _ in range(3)] == [True, False, False]


def test_a_bomb_is_not_unpacked_whole():
    bomb = gzip.compress(b"a line of text\n" * 10**6)
    assert not read_runs(io.BytesIO(bomb), Budget(2**20))[0].complete


PREFIXES = [
    "[2026-03-23 04:01:43] INFO: ",
    "[rank0]: ",
    "2026-03-23 04:01:43,123 - INFO - ",
    "INFO:root:",
    "[default0]:",
]
PREFIXES += ["2026-03-23T04:01:43.5Z ", "04:01:43 | ", "rank 0: ", "[rank3]:[04:01:43] WARNING: ", "1776142360.540 "]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_launchers_write_before_a_line(prefix):
    for text in (baseline_log(3, 1.1), table_log(3, 1.1), compact_log(3, 1.1)):
        log = "\n".join(prefix + line for line in text.splitlines())
        assert parse_log(log) == parse_log("\n".join(text.splitlines()))
    assert parse_log("[diagnostic] val_loss:2 val_bpb:1\n").diagnostics  # what a program itself writes stays


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-8"])
def test_encodings(coding):
    assert read_log(io.BytesIO(table_log(3).encode(coding))) == parse_log(table_log(3))
    packed = gzip.compress(table_log(3).encode(coding))
    assert read_log(io.BytesIO(packed)) == parse_log(table_log(3))


def test_lines_of_other_programs():
    run = parse_log(
        "seed:7\nstep 10 | loss 9.85\nstep 20 | loss 8.5\nstep 20 | vl:0.7396 bpb:0.4380\nFinal BPB: 1.1070\n"
    )
    assert run.is_run and [line.loss for line in run.train] == [9.85, 8.5] and run.bare_bpb == ["1.1070"]
    assert run.vals[0][1][:2] == ("0.7396", "0.4380") and run.seed == 7
    run = parse_log("val_bpb: 3.2636\nTotal artifact: 8,853,380 bytes\n")
    assert run.is_run and run.total_bytes == 8_853_380 and run.bare_bpb == ["3.2636"]
    lines = ['{"seed": 3}', '{"step": 1, "loss": 4.25}', '{"step": 2, "train_loss": 4.125, "lr": 1e-3}']
    lines += [
        '{"step": 2, "val_loss": 4.0, "val_bpb": 2.5}',
        '{"event": "final_int8", "val_loss": 4.1, "val_bpb": 2.6}',
    ]
    run = parse_log("\n".join([*lines, "{broken", '{"step": 1e999}', "[" * 3000, '{"val_bpb": {"val_loss": 1}}']))
    assert (run.seed, len(run.train), run.headline.label, run.headline.val_bpb) == (3, 2, "final_int8", "2.6")


def test_a_log_of_no_known_format_is_seen_to_be_one():
    strange = parse_log("\n".join(f"Epoch {n} ~ current loss is {9 - n}" for n in range(6)))
    assert strange.looks_like_a_log and not strange.is_run
    assert not parse_log("a note about the loss of 3 keys\n" * 2).looks_like_a_log
    assert not parse_log(baseline_log(1)).looks_like_a_log


def test_every_finished_run_of_a_file():
    texts = [baseline_log(seed, 1.08 + seed / 10, model=seed) for seed in (1, 2, 3)]
    runs = parse_runs("".join(texts).splitlines())
    assert [(run.seed, run.headline.val_bpb[:4], run.model_bytes) for run in runs] == [
        (1, "1.18", 1),
        (2, "1.28", 2),
        (3, "1.38", 3),
    ]
    assert [run.runs for run in runs] == [3, 3, 3]
    cut = texts[0].split("stopping_early")[0]
    assert [run.seed for run in parse_runs((cut + texts[1]).splitlines())] == [2]  # one that was started again
    assert [run.seed for run in parse_runs((texts[0] + cut).splitlines())] == [1]
    again = "seed:1\nttt val_loss:2.5 val_bpb:1.5\nseed:2\nttt val_loss:2.6 val_bpb:1.6\n"
    assert [(run.seed, run.headline.val_bpb) for run in parse_runs(again.splitlines())] == [(1, "1.5"), (2, "1.6")]
    assert (
        len(parse_runs((texts[0] * 100).splitlines())) == 65
        and not parse_runs((texts[0] * 100).splitlines())[0].complete
    )


def test_a_seed_that_is_said_at_the_end_is_that_of_the_run():
    assert parse_log(baseline_log(1) + "seed:9\n").seed == 9


KEPT = [
    "receipt a{}: x",
    "error: {}",
    "Total submission size: {} bytes",
    "a{}=1 seed=3",
    "  a{}: 3",
    "{}/9 train_loss: 3",
]
KEPT += ["final_{} val_loss:2 val_bpb:1", "x{} val_bpb: 3", "{}/9 val_loss:2 val_bpb:1", "plugins:" + "a{} " * 40]
KEPT += ["stage:a{} begin:1ms end:2ms data:val", "|   {}  NVIDIA H100     On  |   0"]


@pytest.mark.parametrize("line", KEPT)
def test_what_is_kept_has_a_limit(line):
    record = parse_log("\n".join(line.replace("{}", str(number)) for number in range(30_000)))
    kept = [value for value in vars(record).values() if isinstance(value, (list, dict, tuple))]
    assert max(map(len, kept)) <= 20_000
    assert sum(map(len, kept)) <= 40_100
