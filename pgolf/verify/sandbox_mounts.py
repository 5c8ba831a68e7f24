"""The command line of bubblewrap: a file system with what a program needs and nothing else, and nothing outside of it.

    read-only   /usr with its links (/bin, /lib, ...), a few files of /etc, the Python environment, the given data
    writable    the work folder, and /tmp and /dev/shm, which are in memory, have a limit and are lost

As root, the program becomes the user `NOBODY`, whom the kernel gives nothing. As any other user it keeps that user's number
outside, in a user namespace where it is `NOBODY`; it has no capability in either case.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

NOBODY = 65534
SYSTEM_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
SYSTEM_FILES = (
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime"),
    *("/sys/devices/system/cpu", "/sys/devices/system/node"),
)
ENVIRONMENT_PARTS = ("bin", "lib", "lib64", "include", "pyvenv.cfg", "nvvm", "targets")
"""Of a Python's or an environment's folder; anything else in it may be the user's."""
PACKAGE_FOLDERS = ("site-packages", "dist-packages")
MEMORY_FOLDERS = ("/tmp", "/dev/shm")
HOME = "/tmp/home"
PRESENT = {Path(path) for path in ("/", "/usr", "/dev", "/proc", *MEMORY_FOLDERS)}
GPU_FILES = ("/sys", "/proc/driver/nvidia")


def gpu_devices() -> list[str]:
    """Device files of NVIDIA GPUs."""
    return sorted(str(path) for path in Path("/dev").glob("nvidia*"))


def environment_paths() -> list[Path]:
    """Where this Python, its environment, installed packages and CUDA's libraries lie."""
    prefixes = dict.fromkeys((sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix))
    paths = [Path(prefix) / part for prefix in prefixes for part in ENVIRONMENT_PARTS]
    packages = [Path(entry) for entry in (*sys.path, site.getusersitepackages()) if entry]
    paths += [path for path in packages if path.name in PACKAGE_FOLDERS]
    libraries = [*os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep), os.environ.get("CUDA_HOME", "")]
    paths += [Path(entry) for entry in libraries if entry.startswith("/")]
    # Not `exists` of Path, which raises where a folder above may not be read.
    return outermost(path.absolute() for path in paths if os.path.exists(path))  # noqa: PTH110


def outermost(paths: Iterable[Path]) -> list[Path]:
    """Without those below /usr, which is there as a whole, or below another."""
    chosen: list[Path] = []
    for path in sorted(set(paths)):
        if not any(path.is_relative_to(outer) for outer in (Path("/usr"), *chosen)):
            chosen.append(path)
    return chosen


def bubblewrap(
    command: Sequence[str], work: Path, readonly: Sequence[Path], memory: int, filter_handle: int
) -> list[str]:
    """The command inside bubblewrap.

    Args:
        work: the only folder of the disk that can be written.
        readonly: files and folders that can be read besides the system's and the environment's.
        memory: the most bytes in each folder that is in memory.
        filter_handle: an open file with the filter of system calls.
    """
    arguments = ["bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    arguments += ["--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if os.geteuid() == 0:
        # Only the first program has these, to become another user.
        arguments += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        arguments += ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY)]
    arguments += [*system_arguments(), "--proc", "/proc", "--dev", "/dev"]
    for place in MEMORY_FOLDERS:
        arguments += ["--perms", "1777", "--size", str(memory), "--tmpfs", place]
    arguments += ["--perms", "0777", "--dir", HOME]
    for device in gpu_devices():
        arguments += ["--dev-bind-try", device, device]
    shown = [*environment_paths(), *readonly]
    for folder in sorted({parent for path in (*shown, work) for parent in path.parents} - PRESENT):
        # Bubblewrap itself would make them for root alone.
        arguments += ["--perms", "0755", "--dir", str(folder)]
    for path in shown:
        arguments += ["--ro-bind", str(path), str(path)]
    arguments += ["--bind", str(work), str(work), "--remount-ro", "/dev", "--remount-ro", "/"]
    return [*arguments, "--chdir", str(work), "--seccomp", str(filter_handle), *command]


def system_arguments() -> list[str]:
    """The system's libraries and programs."""
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in SYSTEM_LINKS:
        path = Path("/", name)
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    for name in (*SYSTEM_FILES, *(GPU_FILES if gpu_devices() else ())):
        arguments += ["--ro-bind-try", name, name]
    return arguments
