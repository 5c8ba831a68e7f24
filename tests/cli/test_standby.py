"""A process that waits for its work: what it imports before, and what it does when that is out of date."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pgolf.cli import standby as module
from pgolf.cli.standby import FORKS, Standby, import_plugins, stamps

pytestmark = pytest.mark.skipif(not FORKS, reason="processes are no copies of this one here")


def started(work, files, monkeypatch):
    """A process that has 'imported' some files, once it has."""
    seen, told = os.pipe()

    def imported():
        before = stamps(files)
        os.write(told, b"x")
        return before

    monkeypatch.setattr(module, "import_plugins", imported)
    process = Standby(work)
    os.read(seen, 1)
    return process


def test_it_works_when_it_is_asked(tmp_path, monkeypatch):
    text = tmp_path / "a"
    text.write_text("before")
    process = started(lambda: (os.getpid(), text.read_text()), [], monkeypatch)
    text.write_text("now")
    assert process.result() == (process.process.pid, "now")
    assert not process.process.is_alive()


def test_another_one_works_where_a_file_has_changed(tmp_path, monkeypatch):
    text = tmp_path / "plugin.py"
    text.write_text("x = 1")
    process = started(lambda: (os.getpid(), text.read_text()), [text], monkeypatch)
    text.write_text("x = 22")
    number, found = process.result()
    assert found == "x = 22" and number != process.process.pid


def test_one_that_ends_by_itself_is_an_error(monkeypatch):
    with pytest.raises(ChildProcessError, match="status 3"):
        started(lambda: os._exit(3), [], monkeypatch).result()


def test_it_ends_with_whoever_started_it(tmp_path):
    text = (
        "import os, sys, time\nfrom pgolf.cli import standby\nstandby.import_plugins = dict\n"
        "print(standby.Standby(int).process.pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL
    for _ in range(100):
        try:
            os.kill(int(done.stdout), 0)
            state = Path(f"/proc/{int(done.stdout)}/stat").read_text()
            if state.rpartition(")")[2].split()[0] == "Z":  # nobody has asked for its status yet
                return
        except OSError:
            return
        time.sleep(0.1)
    raise AssertionError("it waits for ever")


def test_the_plugins_are_imported_and_their_files_known():
    found = import_plugins()
    assert "pgolf_plugins.architecture.pko" in sys.modules
    assert {"pko.py", "swa.py"} <= {path.name for path in found} and stamps(found) == found
