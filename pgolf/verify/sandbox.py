"""Runs other people's code with as little as it needs: bubblewrap, else a network namespace, else limits alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import site
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

OUTPUT_LIMIT = 2**20
FILE_LIMIT = 8 * 2**30
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_VISIBLE_DEVICES", "PYTHONPATH", "SYSTEMROOT")
# Sets limits and then becomes the program: a function between fork and exec is not safe where torch has threads.
LAUNCHER = """
import os, resource, sys
files, seconds, memory = (int(text) for text in sys.argv[1:4])
for kind, limit in ((resource.RLIMIT_FSIZE, files), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
    resource.setrlimit(kind, (limit, limit))
if memory:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
os.execv(sys.argv[4], sys.argv[4:])
"""


@dataclass(frozen=True)
class Finished:
    """How a program ended: `output` is the end of what it printed."""

    status: int
    output: str
    timed_out: bool
    sandbox: str
    network_blocked: bool

    def evidence(self) -> dict[str, object]:
        """For reports."""
        return {"sandbox": self.sandbox, "network_blocked": self.network_blocked}


def has_gpu() -> bool:
    """Is there an NVIDIA device?"""
    return Path("/dev/nvidiactl").exists()


@cache
def sandbox_kind() -> str:
    """ "bwrap", "unshare" or "plain": the strictest that works here."""
    if shutil.which("bwrap") and _works(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"]):
        return "bwrap"
    if shutil.which("unshare") and _works(["unshare", "--map-root-user", "--net", "true"]):
        return "unshare"
    return "plain"


def _works(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def wrap(command: Sequence[str], work: Path, hide: Sequence[Path], kind: str) -> list[str]:
    """The command inside a sandbox: everything read-only but `work`, the folders of `hide` empty, no network."""
    if kind == "bwrap":
        devices = ["--dev-bind", "/dev", "/dev"] if has_gpu() else ["--dev", "/dev"]
        hidden = [part for path in hide for part in ("--tmpfs", str(path))]
        outside = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", "/", "/"]
        return [
            *outside,
            *devices,
            "--proc",
            "/proc",
            *hidden,
            "--bind",
            str(work),
            str(work),
            "--chdir",
            str(work),
            *command,
        ]
    if kind == "unshare":
        return ["unshare", "--map-root-user", "--net", *command]
    return list(command)


def sandbox_environment(work: Path, values: Mapping[str, str]) -> dict[str, str]:
    """The few variables a program gets; its home is empty."""
    home, temporary = work / ".home", work / ".tmp"
    home.mkdir(exist_ok=True)
    temporary.mkdir(exist_ok=True)
    env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    env |= {"HOME": str(home), "TMPDIR": str(temporary), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    # Packages of the user's own site folder are found from HOME otherwise.
    env["PYTHONUSERBASE"] = site.getuserbase()
    return env | dict(values)


def run_program(
    arguments: Sequence[str], work: Path, values: Mapping[str, str], timeout: float, hide: Sequence[Path] = ()
) -> Finished:
    """Run `python ARGUMENTS` in `work`.

    Args:
        arguments: script and its arguments.
        work: the only folder it may write.
        values: environment variables beyond the bare ones.
        timeout: seconds of wall clock.
        hide: folders that it must not see, where the sandbox can hide them.
    """
    kind = sandbox_kind()
    cores = os.cpu_count() or 1
    memory = 0 if has_gpu() else _physical_memory()  # CUDA reserves far more addresses than there is memory
    limits = [str(FILE_LIMIT), str(int(timeout * cores) + 1), str(memory)]
    command = [sys.executable, "-c", LAUNCHER, *limits, sys.executable, *arguments]
    # Not a file in `work`: the program could put something else in its place.
    with tempfile.TemporaryFile() as sink:
        child = subprocess.Popen(
            wrap(command, work, hide, kind),
            cwd=work,
            env=sandbox_environment(work, values),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        timed_out = False
        try:
            child.wait(timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        output = _tail(sink)
    return Finished(child.returncode, output, timed_out, kind, kind != "plain")


def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def _tail(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - OUTPUT_LIMIT))
    return file.read(OUTPUT_LIMIT).decode("utf-8", errors="replace")
