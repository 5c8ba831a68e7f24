import pytest
from folders import log_text

from pgolf.logs import parse_log

H100 = "|   0  NVIDIA H100 80GB HBM3          On  |   00000000:18:00.0 Off |                    0 |"


def test_a_log_of_the_runtime_is_read_completely():
    record = parse_log(log_text(b"code", seed=42, bpb=1.1, loss=2.2))
    assert (record.family, record.seed, record.pytorch, record.python) == ("baseline", 42, "2.9.0", "3.11.0")
    assert (record.model_bytes, record.code_bytes, record.total_bytes) == (1000, 4, 1004)
    assert record.model_format == "int8+zlib"
    assert (record.val_tokens, record.iterations, record.max_wallclock_seconds) == (64, 2, 0.0)
    assert record.headline.val_bpb == "1.10000000" and record.headline.exact
    assert (record.eval_ms, record.train_ms, record.steps) == (12.0, 20.0, 2)
    assert record.receipts == {"alpha": "2 steps", "beta": "2 steps"}
    assert record.plugins == ("alpha", "beta")
    assert record.finished and not record.errors
    assert len(record.pairs) == 4


def test_a_stop_by_wall_clock_gives_time_and_steps():
    record = parse_log("seed:1\nstopping_early: wallclock_cap train_time:600013ms step:6927/20000\n")
    assert (record.train_ms, record.steps) == (600013.0, 6927)


def test_gpus_and_ranks_make_the_hardware():
    record = parse_log(f"seed:1\n{H100}\nworld_size:8 grad_accum_steps:1\n")
    assert record.hardware == "8x NVIDIA H100 80GB HBM3"


def test_errors_are_kept():
    assert parse_log("seed:1\nerror: plugin swa was selected and did nothing in this run\n").errors


@pytest.mark.parametrize(
    "line",
    [
        'log0(f"final_int8_zlib_roundtrip_exact val_loss:1.0 val_bpb:1.0")',
        "final_int8_zlib_roundtrip_exact val_loss:{loss} val_bpb:1.0",
        "final_int8_zlib_roundtrip_exact val_loss:1.0 val_bpb:1.0" + " " * 5000,
        "note: final_int8_zlib_roundtrip_exact val_loss:1.0 val_bpb:1.0",
    ],
)
def test_source_and_remarks_are_no_results(line):
    record = parse_log(f"seed:1\n{line}\n")
    assert record.headline is None and not record.finished


def test_the_last_exact_line_is_the_headline():
    first = "final_int6_zlib_roundtrip_exact val_loss:2.0 val_bpb:1.0"
    last = "final_int6_sliding_window_exact val_loss:1.8 val_bpb:0.9"
    assert parse_log(f"{first}\n{last}\n").headline.label == "final_int6_sliding_window"


def test_an_unknown_text_has_no_family():
    assert parse_log("hello\n").family == ""
    assert parse_log("").headline is None


def test_a_loss_that_is_not_a_number_is_read_as_such():
    record = parse_log("step:3/9 train_loss:nan train_time:5ms step_avg:1.00ms\n")
    assert record.train[0].loss != record.train[0].loss
