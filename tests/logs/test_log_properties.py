"""Whatever a log holds, it is a record or no run; numbers come back as they were printed."""

import io

from foreign import baseline_log, compact_log, table_log
from hypothesis import given, settings
from hypothesis import strategies as st

from pgolf.logs import LogUnreadable, parse_log, read_log
from pgolf.logs.table import curves, full

LINES = (baseline_log(1) + table_log(2) + compact_log(3)).splitlines()
NUMBERS = st.floats(0.01, 99.0).map(lambda value: f"{value:.8f}")


@given(st.binary(max_size=400))
def test_any_bytes(data):
    try:
        record = read_log(io.BytesIO(data))
    except LogUnreadable:
        return
    full(record), curves({"a": record})


@given(st.lists(st.sampled_from(LINES), max_size=60))
@settings(max_examples=60)
def test_any_order_of_known_lines(lines):
    record = parse_log("\n".join(lines))
    assert record.lines == len(lines) and record.runs >= 1
    assert record.headline is None or record.headline in record.finals
    assert full(record)["record"]["lines"] == len(lines)


@given(st.sampled_from(LINES), st.integers(0, 120), st.text(max_size=8))
def test_a_damaged_line(line, place, text):
    record = parse_log(line[:place] + text + line[place:])
    assert record.total_bytes is None or record.total_bytes >= 0
    assert record.headline is None or float(record.headline.val_bpb) >= 0 or record.headline.val_bpb == "nan"


@given(NUMBERS, NUMBERS, st.integers(0, 10**9))
def test_numbers_are_kept_as_printed(loss, bpb, milliseconds):
    record = parse_log(f"quantized_ttt val_loss:{loss} val_bpb:{bpb} eval_time:{milliseconds}ms\n")
    assert (record.headline.val_loss, record.headline.val_bpb, record.eval_ms) == (loss, bpb, float(milliseconds))
