"""Children do jobs one after another, are replaced where a job ends them, and what they wrote before comes back."""

import os
import signal
import time
from pathlib import Path

import pytest

from pgolf.verify import workers
from pgolf.verify.workers import Workers


def results(do, numbers, at_once=1, seconds=20.0, alone=()):
    """number -> (lines, reason, signal) of jobs, in the order in which they ended."""
    pool, waiting, found = Workers(do), [*numbers], {}
    try:
        while waiting or pool.working:
            while waiting and len(pool.working) < at_once:
                pool.start(waiting[0], seconds, alone=waiting.pop(0) in alone)
            for done in pool.finished():
                found[done.number] = (done.data.split(b"\n")[:-1], done.reason, done.signal)
    finally:
        pool.close()
    return found


def say_pid(number, write):
    write(b"%d\n" % os.getpid())
    return number != 2


def pids(found):
    return [found[number][0][0] for number in sorted(found)]


def test_one_child_does_many_jobs_until_it_asks_to_be_replaced():
    first = pids(results(say_pid, range(5)))
    assert first[0] == first[1] == first[2] != first[3] == first[4]
    assert len(set(pids(results(say_pid, range(2), at_once=2)))) == 2
    assert len(set(pids(results(say_pid, [0, 1, 3], alone=[1])))) == 2


def test_the_end_of_a_child_costs_one_job():
    def do(number, write):
        write(b"began\n")
        if number == 1:
            os.kill(os.getpid(), signal.SIGUSR1)
        if number == 2:
            os._exit(7)
        if number == 3:
            raise MemoryError
        write(b"ended\n")
        return True

    found = results(do, range(5))
    assert found[0] == found[4] == ([b"began", b"ended", workers.DONE.strip()], "", 0)
    assert found[1] == ([b"began"], f"reading ended by signal {int(signal.SIGUSR1)}", signal.SIGUSR1)
    assert found[2] == found[3] == ([b"began"], "the process that reads it ended early", 0)


def test_time_and_length_are_limited(monkeypatch):
    monkeypatch.setattr(workers, "MOST_BYTES", 2**16)

    def do(number, write):
        while number == 2:
            write(b"x" * 1000)
        write(b"began\n")
        time.sleep(20 * (number == 1))
        return True

    start = time.monotonic()
    found = results(do, range(4), seconds=2.0)
    assert time.monotonic() - start < 10
    assert found[1] == ([b"began"], "it takes more than 2 s", 0) and found[2][1] == "its report is too long"
    assert found[0][1] == found[3][1] == ""


def children():
    """Numbers of this process's children: other tests keep some."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_nothing_is_left_at_the_end():
    before, there = len([*Path("/proc/self/fd").iterdir()]), children()
    for number in range(12):
        results(say_pid, range(number % 4), at_once=2)
    assert children() == there
    assert len([*Path("/proc/self/fd").iterdir()]) == before


def test_ctrl_c_in_a_child_ends_all():
    def do(number, write):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        results(do, range(2))
