"""Programs that are not there: what shows something says nothing, packers give back what they took."""

import pytest
from probe_runs import run_lines  # noqa: F401

from pgolf.probe.inside.program_stand_ins import answer

SHOWN = """
import os, subprocess
assert subprocess.run(["nvidia-smi"], stdout=subprocess.PIPE, text=True).stdout == ""
assert subprocess.check_output("git rev-parse HEAD", shell=True) == b"" and subprocess.getoutput("nvcc --version") == ""
assert subprocess.call(["nvidia-smi"]) == 0 == os.system("nvidia-smi") and os.popen("git log").read() == ""
with subprocess.Popen(["nvidia-smi"], stdout=subprocess.PIPE, text=True) as program:
    assert program.communicate() == ("", "") and program.returncode == 0
assert subprocess.run(["sh", "-c", "echo there"], capture_output=True, text=True).stdout == "there\\n"
"""
PACKED = """
import shutil, subprocess
from pathlib import Path
assert shutil.which("bzip3") and shutil.which("pyminify")
data = b"ab" * 1000
Path("model.raw").write_bytes(data)
subprocess.run(["bzip3", "-e", "-q", "-o", "model.bz3", "model.raw"], check=True)
assert len(Path("model.bz3").read_bytes()) < 100
subprocess.run(["bzip3", "-d", "-q", "-f", "-o", "back.raw", "model.bz3"], check=True)
assert Path("back.raw").read_bytes() == data
subprocess.check_call(["bzip3", "model.raw"])
assert Path("model.raw.bz3").is_file()
minified = subprocess.run(["pyminify", "--rename-globals", "-"], input=b"x = 1", stdout=subprocess.PIPE).stdout
assert minified == b"x = 1"
"""


@pytest.mark.ci
def test_what_shows_something(run_lines):  # noqa: F811
    assert run_lines(SHOWN).error == ""


def test_packers_and_minifiers(run_lines):  # noqa: F811
    assert run_lines(PACKED).error == ""


def test_other_programs_have_no_answer():
    assert answer(["gcc", "-O3", "x.c"], b"") is None and answer("", b"") is None
    assert answer(b"nvidia-smi", b"") == b""


def test_packers_that_are_there_are_not_started():
    """The best of them take a second for each call."""
    assert answer(["xz", "-d", "-c"], answer(["xz", "-9"], b"text") or b"") == b"text"
