"""The score ledger of a run, `logs/<run id>.scores.npz`: when each token of the validation stream was scored and learnt.

A compressed numpy archive. Both arrays have one int32 for each token of the stream, in its order:

- `scored_at`: number of the event that scored the token as a target; 0 for the first token, which has nothing before it.
- `learned_at`: number of the first update that learnt from it, 2147483647 for none. Left out where nothing can learn.

Events are forwards that score and updates, counted from 1. On several ranks the counts run side by side and are set to the
highest whenever the ranks meet, so an event before a meeting has a lower number than one after it, on any rank.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

NEVER = 2**31 - 1


@dataclass(frozen=True)
class ScoreLedger:
    """Both arrays of one run, int32 (N,)."""

    scored_at: np.ndarray
    learned_at: np.ndarray

    def problems(self) -> list[str]:
        """What is wrong, one line each; empty when every target was scored, and before an update learnt from it."""
        import numpy as np

        found = []
        left_out = np.flatnonzero(self.scored_at[1:] < 1) + 1
        if len(left_out):
            found.append(f"{len(left_out)} targets are not scored, the first at {left_out[0]}")
        early = np.flatnonzero(self.learned_at <= self.scored_at)
        if len(early):
            found.append(f"{len(early)} tokens are learnt from before they are scored, the first at {early[0]}")
        return found

    def learned(self) -> int:
        """How many tokens an update learnt from."""
        return int((self.learned_at < NEVER).sum())


def read_score_ledger(path: str | Path) -> ScoreLedger:
    """Read a score ledger.

    Raises:
        ValueError: for a file that is none.
        OSError: for one that cannot be read.
    """
    import numpy as np  # a tenth of a second: only where there is a ledger

    try:
        # Of a file that is no archive, numpy would leave its own handle open.
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            scored_at = arrays["scored_at"]
            learned_at = arrays["learned_at"] if "learned_at" in arrays else np.full_like(scored_at, NEVER)
    except (KeyError, EOFError, ValueError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path}: not a score ledger, wanted an npz archive with scored_at") from error
    if not (scored_at.dtype == learned_at.dtype == np.int32 and scored_at.ndim == 1 < 1 + len(scored_at)):
        raise ValueError(f"{path}: scored_at is {scored_at.dtype} {scored_at.shape}, wanted int32 (N,)")
    if learned_at.shape != scored_at.shape:
        raise ValueError(f"{path}: learned_at has the shape {learned_at.shape}, wanted {scored_at.shape}")
    return ScoreLedger(scored_at, learned_at)
