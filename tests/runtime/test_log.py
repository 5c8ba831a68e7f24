"""The log of a run: one file, written by the first rank, with the tracebacks of all."""

import faulthandler
import hashlib
import signal
import sys

import pytest
import torch

from pgolf.runtime.log import RunLog, code_bytes, keep_traceback, log_machine


@pytest.fixture
def make_log(tmp_path, monkeypatch):
    """Logs in an empty folder; what they hook into Python is put back."""
    monkeypatch.chdir(tmp_path)
    hook = sys.excepthook
    files = []
    monkeypatch.setattr(faulthandler, "register", lambda number, file, chain: files.append((number, file)))
    yield lambda rank=0, more=False: RunLog("run", rank, more)
    sys.excepthook = hook
    assert files and all(number == signal.SIGTERM for number, _ in files)
    for _, file in files:
        file.close()


def test_every_line_is_printed_and_on_disk_at_once(make_log, capsys):
    log = make_log()
    log("one")
    assert log.path.read_text() == "one\n"
    log("two\nthree")
    assert log.path.read_text() == "one\ntwo\nthree\n" == capsys.readouterr().out


def test_an_earlier_log_is_lost_unless_the_run_goes_on(make_log):
    make_log()("old")
    again = make_log(more=True)
    again("more")
    assert again.path.read_text() == "old\nmore\n"
    assert make_log().path.read_text() == ""


def test_other_ranks_write_only_errors_that_are_not_there_yet(make_log, capsys):
    first, second = make_log(), make_log(rank=3)
    second("not this")
    assert first.path.read_text() == "" == capsys.readouterr().out
    first.log_error("no data")
    second.log_error("no data")
    second.log_error("out of memory")
    assert first.path.read_text() == "error: no data\nrank 3: error: out of memory\n"


def test_a_traceback_is_kept_and_still_shown(make_log, capsys):
    path = make_log().path
    try:
        raise KeyError("why")
    except KeyError as error:
        keep_traceback(path, KeyError, error, error.__traceback__)
    assert "KeyError: 'why'" in path.read_text() and "KeyError: 'why'" in capsys.readouterr().err


def test_the_machine_and_the_running_file(tmp_path, monkeypatch):
    program = tmp_path / "train_gpt.py"
    program.write_bytes(b"print(1)")
    monkeypatch.setattr(sys, "argv", [str(program)])
    lines = []
    log_machine(lines.append, torch.device("cpu"))
    text = "\n".join(lines)
    assert f"Running PyTorch {torch.__version__}" in text and f"Running Python {sys.version}" in text
    assert f"code_sha256:{hashlib.sha256(b'print(1)').hexdigest()}" in text and "CPU, 1 threads" in text
    assert code_bytes() == 8
