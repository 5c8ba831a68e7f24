"""`pgolf leaderboard --recheck`: the records below a folder against the rows of the leaderboard."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgolf.leaderboard import Row, own_row
from pgolf.manager import Registry
from pgolf.verify.checks_statistics import scores
from pgolf.verify.folder import JSON_NAME, View

DEPTHS = ("", "*/", "*/*/")


@dataclass(frozen=True)
class Rechecked:
    """One record: its row of the leaderboard, what it claims, what its logs say, and whether these agree."""

    folder: str
    row: Row | None
    claimed: float
    logged: float
    runs: int
    status: str
    says: str

    def as_record(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "folder": self.folder,
            "row": self.row.label if self.row else None,
            "claimed": self.claimed if math.isfinite(self.claimed) else None,
            "logged": self.logged if math.isfinite(self.logged) else None,
            "board": self.row.val_bpb if self.row else None,
            "runs": self.runs,
            "status": self.status,
            "message": self.says,
        }


def record_folders(root: Path) -> list[Path]:
    """Folders with a submission.json, up to two below `root`."""
    found: set[Path] = set()
    for depth in DEPTHS:
        found |= {path.parent for path in root.glob(depth + JSON_NAME)}
    return sorted(found)


def recheck(folder: Path) -> Rechecked:
    """Compare claim, logs and row of one record; nothing of it is executed."""
    view = View(folder, Registry)
    values, _ = scores(view)
    value = view.evidence.claimed.value
    claimed = math.nan if value is None else float(value)
    logged = statistics.fmean(values) if values else math.nan
    row = own_row(values, None if value is None else claimed)
    status, says = verdict(view, row, claimed, logged)
    return Rechecked(str(folder), row, claimed, logged, len(values), status, says)


def verdict(view: View, row: Row | None, claimed: float, logged: float) -> tuple[str, str]:
    """PASS where the numbers that are there agree; SKIP where one is missing."""
    limit = view.challenge.claim_tolerance
    if not math.isfinite(claimed):
        return "SKIP", "submission.json has no val_bpb"
    if not math.isfinite(logged):
        return "SKIP", "no log has a final score"
    if abs(claimed - logged) > limit:
        return "FAIL", f"the claim is {claimed:.5f}, the mean of the logs {logged:.5f}"
    if row is None:
        return "SKIP", "the leaderboard has no row with this score"
    if abs(row.val_bpb - logged) > limit:
        return "FAIL", f"row {row.label} says {row.val_bpb:.4f}, the mean of the logs is {logged:.5f}"
    return "PASS", f"row {row.label}, claim and logs agree"
