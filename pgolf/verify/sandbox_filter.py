"""System calls that nothing in a sandbox may make, as a seccomp filter: other namespaces, mounts, other processes, keys.

The filter is a program for the kernel's packet filter (linux/filter.h): each instruction is (code, jump if true, jump if
false, value). It looks at `struct seccomp_data`: number of the call at 0, architecture at 4, first argument at 16.
"""

from __future__ import annotations

import errno
import platform
import struct

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW = 0x7FFF0000
REFUSE = 0x00050000 | errno.EPERM
"""The call fails with EPERM."""
MISSING = 0x00050000 | errno.ENOSYS
"""The call fails as on a kernel without it, so that libraries take the older one."""
NAMESPACES = 0x7E020000
"""Flags of `clone` that make a namespace: user, mount, pid, network, ipc, host name, cgroup."""
X32 = 0x40000000
"""Calls of x86_64 with this bit have a second table of numbers."""

# machine -> (AUDIT_ARCH of linux/audit.h, number of clone, numbers of what is refused)
CALLS: dict[str, tuple[int, int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        56,
        {
            **{"ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "pidfd_getfd": 438},
            **{"mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "setns": 308, "unshare": 272},
            **{"add_key": 248, "request_key": 249, "keyctl": 250, "bpf": 321, "perf_event_open": 298},
            **{"kexec_load": 246, "init_module": 175, "finit_module": 313, "delete_module": 176, "reboot": 169},
            **{"userfaultfd": 323, "open_by_handle_at": 304, "syslog": 103, "swapon": 167, "acct": 163},
        },
    ),
    "aarch64": (
        0xC00000B7,
        220,
        {
            **{"ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "pidfd_getfd": 438},
            **{"mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "setns": 268, "unshare": 97},
            **{"add_key": 217, "request_key": 218, "keyctl": 219, "bpf": 280, "perf_event_open": 241},
            **{"kexec_load": 104, "init_module": 105, "finit_module": 273, "delete_module": 106, "reboot": 142},
            **{"userfaultfd": 282, "open_by_handle_at": 265, "syslog": 116, "swapon": 224, "acct": 89},
        },
    ),
}
# The same numbers everywhere: io_uring_setup, open_tree, move_mount, fsopen, fsconfig, fsmount, mount_setattr.
COMMON = (425, 428, 429, 430, 431, 432, 442)
CLONE3 = 435


def call_filter(machine: str = "") -> bytes | None:
    """The filter for this machine, None for one whose numbers are not known here."""
    if (machine or platform.machine()) not in CALLS:
        return None
    architecture, clone, refused = CALLS[machine or platform.machine()]
    program = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, architecture), (RETURN, 0, 0, REFUSE), (LOAD, 0, 0, 0)]
    program += [(AT_LEAST, 0, 1, X32), (RETURN, 0, 0, REFUSE)]
    for number in (*refused.values(), *COMMON):
        program += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE)]
    program += [(EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, MISSING)]
    program += [(EQUAL, 0, 3, clone), (LOAD, 0, 0, 16), (ANY_BIT, 0, 1, NAMESPACES), (RETURN, 0, 0, REFUSE)]
    program.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in program)
