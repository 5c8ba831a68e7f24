"""The check of significance: is it better than the row before it?"""

from __future__ import annotations

import math
import statistics

from pgolf.leaderboard import row_to_beat
from pgolf.verify.claims import value_of
from pgolf.verify.folder import View
from pgolf.verify.registry import Outcome, check, passed, skipped, violated


@check(
    "stat.p",
    "INFO",
    "the scores of the seeds are better than those of the leaderboard row to beat, by a one-sided Welch test",
    "openai/parameter-golf README (0.005 nats, p < 0.01) and practice (p < 0.25); #1900, #1902",
    "p 0.36 against the row before",
)
def check_p(view: View) -> Outcome:
    """Judged as rows were accepted; the written rule is reported beside it."""
    values, nats = scores(view)
    if not view.evidence.timed or len(values) < 2:
        return skipped("needs two finished logs or more of the record track")
    row = row_to_beat(values, view.evidence.claimed.value)
    if row is None:
        return skipped("no leaderboard row below gives the scores of its seeds")
    from pgolf.statistics import compare

    found = compare(values, nats, f"row {row.label}", row.seed_val_bpb, view.challenge)
    if found.p_without_margin is None:
        return skipped("the scores of the seeds are all equal: there is nothing to test")
    return passed(found.line, **found.as_record()) if found.practised else violated(found.line, **found.as_record())


def scores(view: View) -> tuple[list[float], float]:
    """(val_bpb of each run, val_loss / val_bpb): of the lines that carry the claim, else of the final lines."""
    match, runs = view.evidence.match, [run for run in view.evidence.used.values() if run.headline is not None]
    if match.kind in ("eval", "line", "mean"):
        values, losses = list(match.values), list(match.losses)
    else:
        values = [value_of(run, "val_bpb") for run in runs]
        losses = [value_of(run, "val_loss") for run in runs]
    if not values or not all(0 < value < math.inf for value in (*values, *losses)):
        return [], 1.0
    return values, statistics.fmean(losses) / statistics.fmean(values)
