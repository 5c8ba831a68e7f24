"""Runs other people's code with as little as it needs, and says of its sandbox only what a self-test has shown.

Before anything foreign runs, a program of pgolf's own (`sandbox_probe`) tries to leave: read and write outside, mount, make
namespaces, reach sockets and the network, see and trace processes, use privileges and devices. In bubblewrap every attempt
must fail, or nothing runs. Without bubblewrap nothing runs either, unless that is asked for; the report then says which
attempts failed and which did not.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import site
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pgolf.run import keeper
from pgolf.verify.folder import printable
from pgolf.verify.sandbox_filter import call_filter
from pgolf.verify.sandbox_limits import Limits, own_cgroup, physical_memory, watch
from pgolf.verify.sandbox_mounts import HOME, MEMORY_FOLDERS, NOBODY, PACKAGE_FOLDERS, bubblewrap
from pgolf.verify.sandbox_probe import ATTEMPTS

PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_VISIBLE_DEVICES")
MEMORY_FOLDER_BYTES = 2 * 2**30
PROBE_LIMITS = Limits(60.0, 0)
MOST_SAID = 200
"""Characters of an error that a report repeats."""
INSTALL = "install bubblewrap (apt-get install bubblewrap)"


class Refused(Exception):
    """Nothing may run here; the message says why and what to do."""


@dataclass(frozen=True)
class Sandbox:
    """What programs run in: `kind` is "bubblewrap", "network namespace" or "none"; `held` and `open` are attempts.

    `broken` has an attempt's error where it ended by one: it is open, since it has not been shown to hold.
    """

    kind: str
    held: tuple[str, ...]
    open: tuple[str, ...]
    broken: Mapping[str, str] = field(default_factory=dict)

    def not_held(self) -> str:
        """The attempts that are open, with their errors."""
        return ", ".join(f"{name} ({self.broken[name]})" if name in self.broken else name for name in self.open)

    def evidence(self) -> dict[str, Any]:
        """For reports."""
        return {
            "sandbox": self.kind,
            "held": list(self.held),
            "not_held": list(self.open),
            "network_blocked": "network" in self.held,
        }


@dataclass(frozen=True)
class Finished:
    """How a program ended: `excess` names the limit that it went over, or is ""; `output` is what it printed."""

    status: int
    output: Path
    excess: str
    limits: str


def has_gpu() -> bool:
    """Is there an NVIDIA device?"""
    return Path("/dev/nvidiactl").exists()


def open_sandbox(unsafe: bool = False) -> Sandbox:
    """The sandbox of this machine.

    Raises:
        Refused: without `unsafe`, where bubblewrap is missing or does not hold.
    """
    sandbox, problem = self_tested("bubblewrap")
    if sandbox is not None and sandbox.open:
        problem = f"bubblewrap does not hold here: {sandbox.not_held()}"
    if sandbox is not None and not problem:
        return sandbox
    if not unsafe:
        raise Refused(f"{problem}; {INSTALL}, or give --unsafe to run it without a sandbox")
    for kind in ("network namespace", "none"):
        sandbox = self_tested(kind)[0]
        if sandbox is not None:
            return sandbox
    raise Refused("this Python cannot start a program")


@cache
def self_tested(kind: str) -> tuple[Sandbox | None, str]:
    """A kind with the results of its self-test, or None and why it cannot be used."""
    if kind == "bubblewrap" and shutil.which("bwrap") is None:
        return None, "there is no bubblewrap here"
    if kind == "bubblewrap" and call_filter() is None:
        return None, f"no filter of system calls is known for {os.uname().machine}"
    if kind == "network namespace" and shutil.which("unshare") is None:
        return None, "there is no unshare here"
    try:
        results, broken = probe(kind)
    except (OSError, ValueError) as error:
        return None, f"{kind} does not work here: {error}"
    if results.pop("work"):
        why = f" ({broken['work']})" if "work" in broken else ""
        return None, f"{kind} does not work here: a program cannot write its own files in it{why}"
    held = tuple(name for name, escaped in results.items() if not escaped)
    return Sandbox(kind, held, tuple(name for name in results if name not in held), broken), ""


def probe(kind: str) -> tuple[dict[str, bool], dict[str, str]]:
    """Attempt -> whether it got out, and its error where it broke; ValueError where the program did not end as it should."""
    with tempfile.TemporaryDirectory(prefix="pgolf-probe-") as name, planted(Path(name).resolve()) as targets:
        work = Path(name).resolve() / "work"
        work.mkdir()
        text = Path(__file__).with_name("sandbox_probe.py").read_text(encoding="utf-8")
        done = run_program(["-I", "-c", text, json.dumps(targets)], work, {}, PROBE_LIMITS, kind=kind)
        printed = done.output.read_text(encoding="utf-8", errors="replace").splitlines()
        done.output.unlink()
        if done.status or done.excess or not printed:
            raise ValueError(done.excess or (chr(10).join(printed) if printed else f"status {done.status}"))
        results = json.loads(printed[-1])
        if not isinstance(results, dict) or results.keys() != ATTEMPTS.keys():
            raise ValueError("the self-test did not end")
        results["writing"] |= Path(targets["outside"]).exists()
        lines = [line.partition(": ") for line in printed[:-1]]
        return results, {name: printable(error)[:MOST_SAID] for name, _, error in lines if name in results}


@contextlib.contextmanager
def planted(folder: Path) -> Iterator[dict[str, Any]]:
    """What the self-test is to find and reach: a secret, a neighbour's file, sockets, this process."""
    neighbour = folder / "neighbour"
    neighbour.mkdir()
    on_linux = Path("/proc/self").exists()
    targets: dict[str, Any] = {
        "outside": str(folder / "outside"),
        "secret": str(folder / "secret"),
        "neighbour": str(neighbour / "file"),
        "socket": str(folder / "socket"),
        "abstract": "pgolf-" + secrets.token_hex(8),
        "pid": os.getpid(),
        "command": Path("/proc/self/cmdline").read_text(errors="replace").split("\0") if on_linux else [],
        "mounts": str(Path("/proc/self/ns/mnt").readlink()) if on_linux else "",
        "writable": [os.__file__, __file__, sys.executable],
    }
    for key in ("secret", "neighbour"):
        Path(targets[key]).write_text("secret")
    with socket.socket(socket.AF_UNIX) as path, socket.socket(socket.AF_UNIX) as name, socket.socket() as port:
        path.bind(targets["socket"])
        with contextlib.suppress(OSError):
            name.bind("\0" + targets["abstract"])
            name.listen()
        port.bind(("127.0.0.1", 0))
        path.listen()
        port.listen()
        targets["port"] = port.getsockname()[1]
        yield targets


def program_limits(timeout: float) -> Limits:
    """Of a run: four fifths of the memory for all of it; with a GPU no limit of addresses."""
    memory = physical_memory()
    return Limits(timeout, memory * 4 // 5, addresses=0 if has_gpu() else memory)


def sandbox_environment(work: Path, values: Mapping[str, str], kind: str) -> dict[str, str]:
    """The few variables a program gets; its home is empty."""
    env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    home, temporary = (HOME, MEMORY_FOLDERS[0]) if kind == "bubblewrap" else (str(work / ".home"), str(work / ".tmp"))
    env |= {"HOME": home, "TMPDIR": temporary, "USER": "nobody", "LOGNAME": "nobody"}
    env |= {"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    # Packages of the user's own site folder are found from HOME otherwise, and those of PYTHONPATH not at all.
    env["PYTHONUSERBASE"] = site.getuserbase()
    packages = [
        entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if Path(entry).name in PACKAGE_FOLDERS
    ]
    return env | {"PYTHONPATH": os.pathsep.join(packages)} | dict(values)


def run_program(
    arguments: Sequence[str],
    work: Path,
    values: Mapping[str, str],
    limits: Limits,
    readonly: Sequence[Path] = (),
    kind: str = "bubblewrap",
) -> Finished:
    """Run `python ARGUMENTS` in `work`; no process of it is left when this returns, or when this process is killed.

    Args:
        arguments: script and its arguments.
        work: the only folder it may write.
        values: environment variables beyond the bare ones.
        limits: what it may use.
        readonly: what it may read besides; a sandbox shows nothing else.
        kind: of a `Sandbox` that was opened.

    Returns:
        with a file of what it printed, which is the caller's to remove.
    """
    if kind != "bubblewrap":
        for name in (".home", ".tmp"):
            (work / name).mkdir(exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="pgolf-output-", suffix=".txt")
    with os.fdopen(handle, "wb") as sink, tempfile.TemporaryFile() as calls, own_cgroup(limits) as group:
        calls.write(call_filter() or b"")
        calls.seek(0)
        command = join_group(wrap(arguments, work, readonly, limits, kind, calls.fileno()), group)
        give_away(work, kind)
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__, *command],
            cwd=work,
            env=sandbox_environment(work, values, kind),
            stdin=subprocess.PIPE,
            stdout=sink,
            stderr=subprocess.STDOUT,
            pass_fds=[calls.fileno()],
            start_new_session=True,
        )
        try:
            problem = watch(child, work, sink, limits)
        finally:
            end(child)
    return Finished(child.returncode, Path(name), problem, "cgroup and watcher" if group else "watcher")


def end(child: subprocess.Popen[bytes]) -> None:
    """Have the keeper end everything; one that does not is ended itself."""
    if child.stdin is not None:
        child.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(4 * keeper.GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def wrap(
    arguments: Sequence[str], work: Path, readonly: Sequence[Path], limits: Limits, kind: str, filter_handle: int
) -> list[str]:
    """The command that runs `python ARGUMENTS` with the limits of one process, inside a sandbox of this kind."""
    text = Path(__file__).with_name("sandbox_inside.py").read_text(encoding="utf-8")
    becomes = NOBODY if kind == "bubblewrap" and os.geteuid() == 0 else 0
    seconds = int(limits.seconds * (os.cpu_count() or 1)) + 1
    # Outside a sandbox, the processes of the same user elsewhere would count.
    processes = limits.processes if kind == "bubblewrap" else 0
    numbers = [str(number) for number in (becomes, limits.file_size, seconds, processes, limits.addresses)]
    command = [sys.executable, "-I", "-c", text, *numbers, sys.executable, *arguments]
    if kind == "bubblewrap":
        return bubblewrap(command, work, readonly, MEMORY_FOLDER_BYTES, filter_handle)
    if kind == "network namespace":
        return ["unshare", "--map-root-user", "--net", *command]
    return command


JOIN = "import os, sys; open(sys.argv[1], 'w').write(str(os.getpid())); os.execvp(sys.argv[2], sys.argv[2:])"


def join_group(command: list[str], group: Path | None) -> list[str]:
    """The command in a cgroup, if there is one."""
    return command if group is None else [sys.executable, "-I", "-S", "-c", JOIN, str(group / "cgroup.procs"), *command]


def give_away(work: Path, kind: str) -> None:
    """The work folder belongs to the user that the program becomes."""
    if kind == "bubblewrap" and os.geteuid() == 0:
        for path in (work, *work.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
