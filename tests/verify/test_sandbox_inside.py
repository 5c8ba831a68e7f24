"""The first program inside a sandbox: its limits hold for the command that it becomes."""

import json
import subprocess
import sys
from pathlib import Path

from pgolf.verify import sandbox_inside

TEXT = Path(sandbox_inside.__file__).read_text(encoding="utf-8")
SHOW = """
import json, os, resource
kinds = ("FSIZE", "CPU", "CORE", "NPROC", "AS")
print(json.dumps([os.getpid(), *[resource.getrlimit(getattr(resource, f"RLIMIT_{kind}")) for kind in kinds]]))
"""


def limits(*numbers):
    """What the command sees: its number, and the limits of files, seconds, cores, processes and addresses."""
    command = [sys.executable, "-I", "-c", TEXT, *map(str, numbers), sys.executable, "-c", SHOW]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        text = child.communicate(timeout=30)[0]
    assert child.returncode == 0
    number, *found = json.loads(text)
    assert number == child.pid, "the command takes its place, so that nobody stands between"
    return found


def test_each_limit_is_set_and_cannot_be_raised():
    assert limits(0, 4096, 20, 5000, 2**36) == [[4096] * 2, [20] * 2, [0] * 2, [5000] * 2, [2**36] * 2]


def test_zero_is_no_limit_of_processes_and_addresses():
    before = limits(0, 4096, 20, 5000, 2**36)
    after = limits(0, 4096, 20, 0, 0)
    assert after[:3] == before[:3] and after[3] != [5000, 5000] and after[4] != [2**36, 2**36]


def test_a_lower_limit_that_is_there_stays():
    command = ["x", "-I", "-c", TEXT, "0", "4096", "20", "0", "0", sys.executable, "-c", SHOW]
    lower = "import resource, os, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))"
    code = f"{lower}; os.execv(sys.executable, {command!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)[1] == [1000, 1000]
