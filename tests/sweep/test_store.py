"""Rows: written at once, read back, and never lost to a worse one."""

import math
import subprocess
import sys

import pytest

from pgolf.errors import PgolfError
from pgolf.sweep.store import NAME, Row, Store, read_row


def row(key="k", state="finished", bpb=1.5, **changes):
    return Row(key, "f", {"a": 1}, state, val_bpb=bpb, **changes)


def test_rows_come_back(tmp_path):
    store = Store(tmp_path / "out")
    first = row(scores={"1": 1.5}, marks=[[1.0, 2.0]], ended=2.0, run_seconds=3.0)
    store.put(first)
    store.put(row("other", ended=1.0))
    assert Store(tmp_path / "out").rows() == [row("other", ended=1.0), first]
    assert store.rows("f") == store.rows() and store.rows("g") == []
    store.note("sweep", {"cap": 3})
    assert store.noted("sweep") == {"cap": 3} and store.noted("x", 1) == 1


def test_a_finished_row_stays(tmp_path):
    store = Store(tmp_path)
    store.put(row(state="failed", bpb=None, problem="no"))
    store.put(row())
    store.put(row(state="failed", bpb=None))
    store.put(row(state="stopped", bpb=9.0))
    assert [one.state for one in store.rows()] == ["finished"]
    store.put(row(bpb=1.25))
    assert store.rows()[0].val_bpb == 1.25


def test_what_is_no_number_is_null_and_no_row_is_an_error():
    assert read_row(row(bpb=math.nan).dump()).val_bpb is None
    for text in ("[]", "{}", "{", '{"key": 1}'):
        with pytest.raises(ValueError):
            read_row(text)


def test_files_that_are_none_are_one_line(tmp_path):
    with pytest.raises(PgolfError, match=r"there is no sweep\.sqlite"):
        Store(tmp_path, must_exist=True)
    (tmp_path / NAME).write_bytes(b"no database" * 100)
    with pytest.raises(PgolfError, match="cannot be used: file is not a database"):
        Store(tmp_path)
    other = Store(tmp_path / "other")
    with other.connected() as connection:
        connection.execute("PRAGMA user_version = 9")
    with pytest.raises(PgolfError, match="format 9"):
        Store(tmp_path / "other")
    with other.connected() as connection:
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO trials VALUES ('x', 'f', 'finished', 1, 1, 1, '{')")
    assert other.rows() == [], "a damaged row is no row, and is run again"


KILLED = """
import os, sys
from pathlib import Path
from pgolf.sweep.store import Row, Store
store = Store(Path(sys.argv[1]))
for number in range(10**6):
    store.put(Row(str(number), "f", {"a": number}, "finished", val_bpb=1.0, ended=float(number)))
    print(number, flush=True)
"""


def test_kill_9_loses_no_row_that_was_said(tmp_path):
    for _ in range(3):
        child = subprocess.Popen([sys.executable, "-c", KILLED, tmp_path], stdout=subprocess.PIPE, text=True)
        said = [int(child.stdout.readline()) for _ in range(20)][-1]
        child.kill()
        child.wait()
        child.stdout.close()
        rows = Store(tmp_path).rows()
        assert len(rows) >= said + 1 and [row.point["a"] for row in rows] == [*range(len(rows))]
