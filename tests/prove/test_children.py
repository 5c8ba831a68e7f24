"""Processes beside each other: in order, not more than wanted, and none that outlives its parent's interest."""

import os
import sys
import time

import pytest

from pgolf.prove.children import Job, cores, run_all

# Prints how many of these processes run at this moment, by files in a folder they share.
PROGRAM = """
import os, sys, time
from pathlib import Path
name, seconds, status = sys.argv[1:]
mine = Path(f"running-{name}")
mine.touch()
time.sleep(float(seconds))
print(len(list(Path().glob("running-*"))))
mine.unlink()
sys.exit(int(status))
"""


def job(folder, name, seconds, status=0):
    command = (sys.executable, "-c", PROGRAM, name, str(seconds), str(status))
    return Job(name, command, folder, {"PATH": os.environ["PATH"]}, folder / f"{name}.log")


def test_jobs_end_in_their_order_with_their_status(tmp_path):
    jobs = [job(tmp_path, "slow", 0.6, 3), job(tmp_path, "quick", 0.0), job(tmp_path, "last", 0.3)]
    assert [(one.name, status) for one, status in run_all(jobs, 2)] == [("slow", 3), ("quick", 0), ("last", 0)]
    seen = [int(one.lines()[0]) for one in jobs]
    assert max(seen) == 2 and not list(tmp_path.glob("running-*"))
    assert [int(one.lines()[0]) for one, _ in run_all(jobs, 1)] == [1, 1, 1]
    assert cores() >= 1


@pytest.mark.ci
def test_whoever_stops_early_ends_what_still_runs(tmp_path):
    jobs = [job(tmp_path, "first", 0.0), job(tmp_path, "second", 60)]
    started = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        for _ in run_all(jobs, 2):
            raise ZeroDivisionError
    assert time.monotonic() - started < 20
    assert not any(line.isdigit() for line in jobs[1].lines())


def test_a_child_that_leaves_nothing_has_no_lines(tmp_path):
    assert job(tmp_path, "never", 0).lines() == []
