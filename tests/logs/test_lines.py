"""From bytes to lines: encodings, prefixes, and no more than a budget."""

import gzip
import io

import pytest
from foreign import baseline_log, compact_log, table_log

from pgolf.logs import Budget, LogUnreadable, parse_log, read_log, read_runs
from pgolf.logs.lines import BYTE_LIMIT


def test_gzip(tmp_path):
    packed = gzip.compress(table_log(3).encode())
    (tmp_path / "a.log.gz").write_bytes(packed)
    assert read_log(tmp_path / "a.log.gz") == parse_log(table_log(3)) == read_log(io.BytesIO(packed))
    with pytest.raises(LogUnreadable):
        read_log(io.BytesIO(packed[:200]))


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
