"""Following a log: whole lines, a file that is started anew, the end of a run."""

import itertools

import pytest
from folders import log_text

from pgolf.logs.follow import follow, has_ended


def test_lines_as_they_come_to_the_end_of_the_run(tmp_path):
    path = tmp_path / "run.log"
    text = log_text(b"x")
    cuts = [0, 10, 37, 400, len(text)]
    parts = [text[begin:end] for begin, end in itertools.pairwise(cuts)]
    path.write_text(parts[0])
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        if len(waits) < len(parts):
            with path.open("a") as file:
                file.write(parts[len(waits)])

    assert [*follow(path, sleep)] == text.splitlines()
    assert len(waits) > len(parts), "a finished log is looked at for a while"


def test_a_log_that_is_started_anew(tmp_path):
    path = tmp_path / "run.log"
    path.write_text("one\ntwo\n")
    turn = itertools.count()

    def sleep(seconds):
        number = next(turn)
        if number == 0:
            path.write_text("new\n")
        if number == 1:
            path.unlink()
        if number == 2:
            path.write_text("error: no luck\n")

    assert [*follow(path, sleep)] == ["one", "two", "new", "error: no luck"]


def test_what_is_no_file(tmp_path):
    with pytest.raises(OSError):
        next(follow(tmp_path / "none"))
    assert not has_ended("step:1/2 train_loss:1.0\n") and has_ended("Traceback (most recent call last):\n")
