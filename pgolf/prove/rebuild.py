"""`python -m pgolf.prove.rebuild LOCK [PLUGIN_DIR...]` builds in memory what a lock says and prints the file's SHA-256."""

from __future__ import annotations

import sys
from pathlib import Path

from pgolf.lock import parse_lock
from pgolf.manager import load_registry
from pgolf.submission import rebuild


def main(lock: str, *plugin_dirs: str) -> None:
    """Build and print."""
    parsed = parse_lock(Path(lock).read_bytes(), lock)
    print(rebuild(parsed, load_registry([Path(folder) for folder in plugin_dirs])).sha256)


if __name__ == "__main__":
    main(*sys.argv[1:])
