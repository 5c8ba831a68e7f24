"""The first program inside a sandbox: sets limits, becomes another user where there is one to become, then the command.

    python -I -c TEXT USER BYTES_OF_A_FILE CPU_SECONDS PROCESSES BYTES_OF_ADDRESSES COMMAND...

Its text is handed over on the command line. A function between fork and exec is not safe where torch has threads.
"""

import ctypes
import os
import resource
import struct
import sys

CAPABILITY_VERSION_3 = 0x20080522


def main() -> None:
    """See the module; 0 stands for no other user, and for no limit of addresses."""
    user, file_size, seconds, processes, addresses = (int(text) for text in sys.argv[1:6])
    limits = [(resource.RLIMIT_FSIZE, file_size), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)]
    limits += [(resource.RLIMIT_NPROC, processes)] if processes else []
    limits += [(resource.RLIMIT_AS, addresses)] if addresses else []
    for kind, limit in limits:
        hard = resource.getrlimit(kind)[1]
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (limit, limit))
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        # Becoming another user leaves the inheritable ones. For this thread: no effective, permitted, inheritable ones.
        ctypes.CDLL(None).capset(struct.pack("Ii", CAPABILITY_VERSION_3, 0), bytes(24))
    os.execv(sys.argv[6], sys.argv[6:])


if __name__ == "__main__":
    main()
