"""A child whose lines are read as they come; tests of killed parents are in test_launch.py."""

import os
import signal
import sys
import threading

import pytest

from pgolf.run.process import stream, terminated_is_interrupted

ENV = {"PATH": os.environ["PATH"]}


def run(code, folder, on_line=None):
    lines = []
    status = stream([sys.executable, "-c", code], folder, ENV, on_line or lines.append)
    return status, lines


def test_lines_of_both_streams_and_the_status(tmp_path):
    status, lines = run(
        "import sys, os; print('a', flush=True); print('b', file=sys.stderr); print(os.getcwd()); sys.exit(3)", tmp_path
    )
    assert status == 3 and sorted(lines) == sorted(["a", "b", str(tmp_path)])


def test_a_line_comes_before_the_child_ends(tmp_path):
    wait = "while not pathlib.Path('go').exists(): time.sleep(0.01)"
    code = f"import pathlib, time\nprint('ready', flush=True)\n{wait}\nprint('went')"
    lines = []

    def on_line(line):
        lines.append(line)
        (tmp_path / "go").touch()

    assert run(code, tmp_path, on_line)[0] == 0 and lines == ["ready", "went"]


def test_the_environment_is_the_given_one_and_input_is_empty(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    assert run("import os, sys; print(os.environ.get('SECRET'), repr(sys.stdin.read()))", tmp_path)[1] == ["None ''"]


def test_odd_bytes_are_a_line(tmp_path):
    assert run("import os; os.write(1, b'\\xff\\xfe a\\n')", tmp_path)[1] == ["\ufffd\ufffd a"]


def test_an_exception_of_the_reader_ends_the_child(tmp_path):
    def stop(line):
        raise KeyError(line)

    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    with pytest.raises(KeyError) as caught:
        run(code, tmp_path, stop)
    with pytest.raises(ProcessLookupError):
        os.kill(int(caught.value.args[0]), 0)


def test_being_terminated_is_an_interrupt_while_it_lasts():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), terminated_is_interrupted():
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    assert signal.getsignal(signal.SIGTERM) is before


def test_another_thread_has_no_signals():
    found = []

    def work():
        with terminated_is_interrupted():
            found.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [1]
