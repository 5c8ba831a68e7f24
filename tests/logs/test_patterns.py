"""Lines of the known families, and what is kept of them."""

import pytest
from foreign import baseline_log, table_log

from pgolf.logs import parse_log


def test_a_time_stamp_before_every_line():
    assert parse_log(table_log(7, prefix="1776142360.540 ")) == parse_log(table_log(7))


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


def test_self_made_text_for_calibration():
    text = "gptq:generating autoregressive calibration data (64 seqs)\ngptq:generated 64 sequences in 231.0s\n"
    found = parse_log(baseline_log(1, calibration=text.splitlines())).calibration
    assert (found.source, found.seconds) == ("self", 231.0)


KEPT = [
    "receipt a{}: x",
    "error: {}",
    "Total submission size: {} bytes",
    "a{}=1 seed=3",
    "  a{}: 3",
    "{}/9 train_loss: 3",
]


@pytest.mark.parametrize("line", KEPT)
def test_what_is_kept_has_a_limit(line):
    record = parse_log("\n".join(line.replace("{}", str(number)) for number in range(30_000)))
    kept = [value for value in vars(record).values() if isinstance(value, (list, dict, tuple))]
    assert max(map(len, kept)) <= 20_000
    assert sum(map(len, kept)) <= 40_100
