"""A command ends with everything that it started; the file is run, as `pgolf train` runs it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pgolf.run import keeper
from pgolf.run.keeper import parent_of


def keep(code, **options):
    command = [sys.executable, "-I", "-S", keeper.__file__, sys.executable, "-c", code]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True, **options
    )


def gone(number):
    """Does a process end soon?"""
    for _ in range(500):
        try:
            state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("status", [0, 7])
def test_the_status_is_the_commands(status):
    with keep(f"print('out'); raise SystemExit({status})") as child:
        assert child.stdout.read() == "out\n" and child.wait(30) == status


def test_a_signal_is_the_commands_too():
    with keep("import os; os.kill(os.getpid(), 15)") as child:
        child.wait(30)
        assert child.returncode == -signal.SIGTERM


def test_when_nobody_holds_its_input_the_command_ends():
    with keep("import os, time; print(os.getpid(), flush=True); time.sleep(600)") as child:
        number = int(child.stdout.readline())
        child.stdin.close()
        child.wait(30)
        assert child.returncode == -signal.SIGTERM and gone(number)


def test_what_a_command_leaves_behind_is_killed():
    sleeper = "[sys.executable, '-c', 'import time; time.sleep(600)']"
    code = f"import subprocess, sys; p = subprocess.Popen({sleeper}, start_new_session=True); print(p.pid, flush=True)"
    with keep(code) as child:
        number = int(child.stdout.readline())
        child.wait(30)
        assert child.returncode == 0 and gone(number)


def test_the_parent_of_a_process():
    assert parent_of(Path(f"/proc/{os.getpid()}")) == os.getppid() and parent_of(Path("/proc/none")) == 0
