"""What a program in a sandbox may use: a cgroup of its own where this process can make one, and a watcher everywhere.

The kernel keeps the limits of one process and of one file (`sandbox_inside`). Nothing but a cgroup keeps those of all
processes together, so without one a watcher looks five times a second and ends what is over a limit: for that long, a
program may use more.
"""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

INTERVAL = 0.2
PATH_LIMIT = 3000
"""Longer paths in the work folder end the program: not everything that lists folders can read them."""


@dataclass(frozen=True)
class Limits:
    """Of all processes of one run together, if nothing else is said.

    Attributes:
        seconds: wall clock.
        memory: bytes.
        processes: threads count, too.
        file_size: bytes of one file.
        disk, files: bytes and number of files in the work folder, those that are deleted and still open among the bytes.
        output: bytes that may be printed.
        addresses: bytes of the address space of one process; 0 for no limit, since CUDA reserves more than there is.
    """

    seconds: float
    memory: int
    processes: int = 2048
    file_size: int = 2 * 2**30
    disk: int = 8 * 2**30
    files: int = 20_000
    output: int = 64 * 2**20
    addresses: int = 0


def physical_memory() -> int:
    """Bytes of this machine, 0 where it does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def watch(child: subprocess.Popen[bytes], work: Path, sink: IO[bytes], limits: Limits) -> str:
    """Wait for the child; returns which limit it went over, "" if it ended within all. Whoever calls ends it.

    What it left is looked at again when it has ended: a quick program prints and writes much between two looks, and the
    limit of one file may end it first.
    """
    end = time.monotonic() + limits.seconds
    while True:
        try:
            child.wait(min(INTERVAL, max(end - time.monotonic(), 0.01)))
            return excess_left(work, sink, limits, {})
        except subprocess.TimeoutExpired:
            problem = f"did not end within {limits.seconds:g} s" if time.monotonic() > end else ""
            problem = problem or excess(child.pid, work, sink, limits)
            if problem:
                return problem


def excess(pid: int, work: Path, sink: IO[bytes], limits: Limits) -> str:
    """Which limit is exceeded now, or ""."""
    processes = descendants(pid)
    if limits.memory and sum(map(memory_of, processes)) > limits.memory:
        return f"used more than {limits.memory:,} bytes of memory"
    return excess_left(work, sink, limits, deleted_files(processes))


def excess_left(work: Path, sink: IO[bytes], limits: Limits, deleted: dict[tuple[int, int], int]) -> str:
    """Which limit of output and disk is exceeded by what lies there, with files that are `deleted` but open, or ""."""
    if os.fstat(sink.fileno()).st_size > limits.output:
        return f"printed more than {limits.output:,} bytes"
    size, count = folder_size(work, limits.files)
    if count > limits.files:
        return f"made more than {limits.files:,} files, or paths that are too long"
    if size + sum(deleted.values()) > limits.disk:
        return f"wrote more than {limits.disk:,} bytes"
    return ""


def descendants(pid: int) -> list[int]:
    """A process and all that come from it. In a sandbox none can leave the tree: orphans become children of its first."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").iterdir() if Path("/proc/self").exists() else ():
        if path.name.isdecimal():
            with contextlib.suppress(OSError, IndexError, ValueError):
                parent = int((path / "stat").read_bytes().rpartition(b")")[2].split()[1])
                children.setdefault(parent, []).append(int(path.name))
    found = [pid]
    for process in found:
        found += children.get(process, [])
    return found


def memory_of(pid: int) -> int:
    """Bytes of a process that no file backs; pages that it shares since a fork count for each."""
    with contextlib.suppress(OSError, ValueError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:")))
    return 0


def folder_size(folder: Path, most: int) -> tuple[int, int]:
    """(bytes on disk, files and folders) below a folder; the second is `most` + 1 as soon as it is more than `most`."""
    size, count, folders = 0, 0, [str(folder)]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                count += 1
                if count > most or len(entry.path) > PATH_LIMIT:
                    return size, most + 1
                with contextlib.suppress(OSError):
                    info = entry.stat(follow_symlinks=False)
                    size += 512 * info.st_blocks
                    if stat.S_ISDIR(info.st_mode):
                        folders.append(entry.path)
    return size, count


def deleted_files(processes: list[int]) -> dict[tuple[int, int], int]:
    """(device, inode) -> bytes on disk of files that are open and have no name any more."""
    found = {}
    for pid in processes:
        with contextlib.suppress(OSError):
            for handle in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    info = handle.stat()
                    if info.st_nlink == 0 and stat.S_ISREG(info.st_mode):
                        found[info.st_dev, info.st_ino] = 512 * info.st_blocks
    return found


@contextlib.contextmanager
def own_cgroup(limits: Limits, root: Path = Path("/sys/fs/cgroup")) -> Iterator[Path | None]:
    """A new cgroup (version 2) with the limits of memory and processes, None where this process cannot make one.

    All that is left in it is killed at the end.
    """
    group = make_cgroup(limits, root)
    try:
        yield group
    finally:
        if group is not None:
            remove_cgroup(group)


def make_cgroup(limits: Limits, root: Path) -> Path | None:
    """Below the cgroup of this process, or below its parent: one that holds processes cannot hand memory on."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        own = root / next(line[3:] for line in lines if line.startswith("0::")).strip("/")
        for parent in (own, own.parent):
            if not {"memory", "pids"} <= set((parent / "cgroup.subtree_control").read_text().split()):
                continue
            group = parent / f"pgolf-{os.getpid()}-{time.monotonic_ns()}"
            with contextlib.suppress(OSError):
                group.mkdir()
                (group / "memory.max").write_text(str(limits.memory or "max"))
                (group / "pids.max").write_text(str(limits.processes))
                with contextlib.suppress(OSError):
                    (group / "memory.swap.max").write_text("0")
                return group
            with contextlib.suppress(OSError):
                group.rmdir()
    return None


def remove_cgroup(group: Path) -> None:
    """Kill what is in it, and remove it."""
    with contextlib.suppress(OSError):
        (group / "cgroup.kill").write_text("1")
    for _ in range(50):
        try:
            group.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.02)
