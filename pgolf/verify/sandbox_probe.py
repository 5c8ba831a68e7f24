"""The program of the self-test: tries to leave its sandbox, and prints what it could do as one JSON object.

    python -I -c TEXT TARGETS

TARGETS is a JSON object of what the verifier has planted outside: `secret`, `neighbour`, `outside`, `socket` (paths),
`abstract` (a name), `port`, `pid` and `command` of the verifier, `mounts` (its mount namespace), `writable` (files of the
installation). It imports the standard library alone, and works without pgolf.

Every function returns whether it got out. It also runs where nothing holds it, as root perhaps, so none may do harm then:
nothing is written into a file that is there, and mounts are only touched in another namespace than the verifier's.
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CLONE_NEWUSER, MS_REMOUNT, MS_BIND, MNT_DETACH = 0x10000000, 0x20, 0x1000, 2
PTRACE_TRACEME, PR_GET_NO_NEW_PRIVS = 0, 39
Targets = dict[str, Any]


def reads_files(targets: Targets) -> bool:
    """Files of others: planted beside the work folder, and accounts and keys of the machine."""
    # Root's folder by its name: in the sandbox there is no list of accounts to look it up in.
    others = Path("/etc/shadow"), Path("/proc/1", "root", "etc", "shadow"), Path("/root", ".ssh")
    places = [targets["secret"], targets["neighbour"], *others]
    return any(os.access(path, os.R_OK) for path in places)


def writes_files(targets: Targets) -> bool:
    """Files of the installation; and a new file outside, which the verifier looks for: here it may be in memory alone."""
    with contextlib.suppress(OSError):
        Path(targets["outside"]).write_bytes(b"x")
    done = False
    for path in targets["writable"]:
        with contextlib.suppress(OSError), Path(path).open("ab"):
            done = True
    return done


def mounts(targets: Targets) -> bool:
    """Make a folder writable again, bare what lies under another, or add one."""
    if not targets["mounts"] or str(Path("/proc/self/ns/mnt").readlink()) == targets["mounts"]:
        return True
    libc, done = ctypes.CDLL(None), False
    for path in (b"/", b"/usr"):
        done |= libc.mount(None, path, None, MS_REMOUNT | MS_BIND, None) == 0
    done |= libc.umount2(b"/tmp", MNT_DETACH) == 0
    return done or bool(libc.mount(b"x", b"/tmp", b"tmpfs", 0, None) == 0)


def nests_namespaces(targets: Targets) -> bool:
    """A user namespace of its own would give it capabilities to try the kernel with."""
    return bool(ctypes.CDLL(None).unshare(CLONE_NEWUSER) == 0)


def reaches_sockets(targets: Targets) -> bool:
    """Sockets with a path or a name: services of the machine, such as Docker's."""
    done = False
    for address in (targets["socket"], "\0" + targets["abstract"]):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(address)
            done = True
    return done


def reaches_network(targets: Targets) -> bool:
    """This machine and others."""
    done = False
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", targets["port"]), 2):
        done = True
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("192.0.2.1", 9))
        done = True
    return done


def sees_processes(targets: Targets) -> bool:
    """The verifier, to signal it or to look into it."""
    own = f"{targets['pid']}"
    with contextlib.suppress(OSError):
        return Path("/proc", own, "cmdline").read_bytes().split(b"\0") == [
            os.fsencode(text) for text in targets["command"]
        ]
    return False


def traces(targets: Targets) -> bool:
    """Steer another process of its own user."""
    return bool(ctypes.CDLL(None).ptrace(PTRACE_TRACEME, 0, None, None) == 0)


def has_privileges(targets: Targets) -> bool:
    """Root, capabilities, or a way to get them from programs that change their user."""
    status = Path("/proc/self/status").read_text()
    sets = [
        line.split()[1] for line in status.splitlines() if line.startswith(("CapInh", "CapPrm", "CapEff", "CapAmb"))
    ]
    safe = os.geteuid() != 0 and os.getuid() != 0 and not any(int(text, 16) for text in sets)
    return not safe or ctypes.CDLL(None).prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1


def opens_devices(targets: Targets) -> bool:
    """Disks, memory and terminals."""
    disks = [path for path in Path("/dev").iterdir() if stat.S_ISBLK(path.lstat().st_mode)]
    done = any(os.access(path, os.R_OK) for path in (*disks, Path("/dev/mem"), Path("/dev/kmsg")))
    with contextlib.suppress(OSError), Path("/dev/tty").open("rb"):
        done = True
    return done


def cannot_work(targets: Targets) -> bool:
    """Not an escape: what every program needs and must have."""
    try:
        for folder in (".", os.environ["HOME"], os.environ["TMPDIR"]):
            Path(folder, "written").write_bytes(b"x")
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        os.kill(os.getpid(), signal.SIGCONT)
    except OSError:
        return True
    return False


ATTEMPTS = {
    "files": reads_files,
    "writing": writes_files,
    "mounts": mounts,
    "namespaces": nests_namespaces,
    "sockets": reaches_sockets,
    "network": reaches_network,
    "processes": sees_processes,
    "tracing": traces,
    "privileges": has_privileges,
    "devices": opens_devices,
    "work": cannot_work,
}


def succeeds(name: str, attempt: Callable[[Targets], bool], targets: Targets) -> bool:
    """Tries it in a process of its own, so that one changes nothing for the next.

    What breaks has not been shown to hold: its name and its error are a line of their own.
    """
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] != 0
    try:
        os._exit(int(attempt(targets)))
    except BaseException as error:
        print(f"{name}: {error!r}", flush=True)
        os._exit(2)


def main() -> None:
    """Prints {name: whether it succeeded}."""
    targets = json.loads(sys.argv[1])
    print(json.dumps({name: succeeds(name, attempt, targets) for name, attempt in ATTEMPTS.items()}))


if __name__ == "__main__":
    main()
