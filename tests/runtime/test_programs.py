"""External programs that fail, hang, write too much or are not there."""

import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from pgolf.runtime.programs import through_program


def shell(script):
    """Starts a shell with the source as $1 and the target as $2."""

    def start(source, target):
        return subprocess.Popen(["sh", "-c", script, "sh", source, target], stderr=subprocess.PIPE)

    return start


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """What is left in the place for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_data_go_through(folders):
    assert through_program("sh", shell('tr a-z A-Z < "$1" > "$2"'), b"some bytes", 10, 10) == b"SOME BYTES"
    assert list(folders.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("echo no luck >&2; echo at all >&2; exit 3", "sh ended with status 3: no luck at all"),
        ("true", "sh ended with status 0"),
        ('exec head -c 100000000 /dev/zero > "$2"', r"sh (ended with status -25|wrote more than 10000 bytes)"),
        ("exec sleep 60", "sh did not end within 0.5 s"),
    ],
)
def test_failures_are_one_line_and_leave_nothing(script, complaint, folders):
    begin = time.monotonic()
    with pytest.raises(ValueError, match=complaint) as caught:
        through_program("sh", shell(script), b"data", 10_000, 0.5)
    assert "\n" not in str(caught.value) and time.monotonic() - begin < 20
    assert list(folders.iterdir()) == []


def test_a_program_that_is_not_there(folders):
    def start(source, target):
        return subprocess.Popen([Path("/no/such/program"), source, target], stderr=subprocess.PIPE)

    with pytest.raises(
        OSError, match=r"songster cannot be started \(No such file or directory\), try: apt-get install"
    ):
        through_program("songster", start, b"data", 10, 1)
    assert list(folders.iterdir()) == []
