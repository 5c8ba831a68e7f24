"""Which lines make a run, and which run of a file."""

import io
import time

import pytest
from foreign import baseline_log

from pgolf.logs import parse_log, parse_runs, read_log


def test_several_runs_in_one_file_are_the_last_one():
    run = parse_log(baseline_log(1, 1.2, model=1) + baseline_log(2, 1.1, model=2))
    assert (run.runs, run.seed, run.model_bytes, run.headline.val_bpb) == (2, 2, 2, "1.10000000")
    assert len(run.finals) == 2 and len(run.train) == 3


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


def test_values_without_a_loss_are_apart():
    run = parse_log(baseline_log(1) + 'sliding_window_eval val_bpb:1.0712\n  "post_ttt_val_bpb": 1.0699,\n')
    assert run.bare_bpb == ["1.0712", "1.0699"]
    assert parse_log("ttt:done val_loss=2.1 val_bpb=1.05 elapsed=3s\n").bare_bpb == ["1.05"]
    assert parse_log("ttt_chunk [3/9] bpb=1.05 time=9.9s\nngram [3/9] 12.0% bpb=1.05\n").bare_bpb == []
    assert run.headline.label == "final_int6_sliding_window"


@pytest.mark.parametrize(
    "text", [b"\xff\xfe\x00" * 100, b"step:" * 10**6, b"\n" * 10**6, b"9" * 10**6 + b"/1 train_loss:1"]
)
def test_odd_bytes_are_no_run(text):
    begin = time.monotonic()
    assert not read_log(io.BytesIO(text)).is_run
    assert time.monotonic() - begin < 20


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
