"""Bytes that each built-in plugin adds to the packed baseline: measured once, kept with the hash of the source it was of.

`benchmarks/plugin_bytes.py --write` measures and keeps them. A figure whose plugin has changed since is shown as such.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgolf.challenge import RULES_FOLDER
from pgolf.files import write_atomically
from pgolf.lock import file_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pgolf.manager import Loaded

BYTES_PATH = RULES_FOLDER / "marginal_bytes.json"


@dataclass(frozen=True)
class MarginalBytes:
    """What one plugin was measured to add.

    Attributes:
        added: bytes of the packed file at smoke size, with what the plugin requires, less those of the baseline.
        baseline: bytes of the baseline then.
        day: when.
        current: whether the plugin's source is still the one that was measured.
    """

    added: int
    baseline: int
    day: str
    current: bool

    def __str__(self) -> str:
        changed = "" if self.current else "; its source has changed since"
        return f"{self.added:+,} on a baseline of {self.baseline:,}, {self.day}{changed}"


def marginal_bytes(loaded: Loaded) -> MarginalBytes | None:
    """What was measured of a built-in plugin; None for others, and for one that was not measured."""
    found = _read().get(loaded.plugin.name) if loaded.origin == "pgolf" else None
    if found is None:
        return None
    current = file_hash(loaded.path).startswith(found["sha256"])
    return MarginalBytes(found["added"], found["baseline"], found["day"], current)


def keep_bytes(loaded: Loaded, added: int, baseline: int, day: str) -> None:
    """Put a figure into the file, in place of the one that is there."""
    figure = {"added": added, "baseline": baseline, "day": day, "sha256": file_hash(loaded.path)[:16]}
    rows = {**_read(), loaded.plugin.name: figure}
    lines = [f"{json.dumps(name)}: {json.dumps(rows[name])}" for name in sorted(rows)]
    write_atomically(BYTES_PATH, ("{\n" + ",\n".join(lines) + "\n}\n").encode())


def _read() -> Mapping[str, dict[str, Any]]:
    if not BYTES_PATH.exists():
        return {}
    found: dict[str, dict[str, Any]] = json.loads(BYTES_PATH.read_text(encoding="utf-8"))
    return found
