"""Seconds of every stage of the run, from the rehearsal's.

    training                          the budget
    score, adapt, ...                 on validation data: the line through the two scores of the artifact alone, at all tokens
    everything else                   as it was: its work does not depend on how much is trained or scored

A stage that the two scores do not have, such as the score of the weights before quantization, is scaled by its tokens, which is
too much where it compiled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pgolf.logs import Stage
from pgolf.preflight.rehearsal import Rehearsal

EVALUATION = ("decode", "fields", "score", "adapt")


@dataclass(frozen=True)
class StageTime:
    """A stage's seconds, None where nothing says, and what they are from."""

    stage: str
    seconds: float | None
    basis: str

    def as_record(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def durations(stages: Sequence[Stage]) -> dict[str, tuple[float, str]]:
    """stage -> (seconds, the data it read); the second of a name is "score 2"."""
    found: dict[str, tuple[float, str]] = {}
    for stage in stages:
        count = 1 + sum(name.split()[0] == stage.name for name in found)
        name = stage.name if count == 1 else f"{stage.name} {count}"
        found[name] = (stage.end_ms - stage.begin_ms) / 1000, stage.data.split()[0] if stage.data else "none"
    return found


def stage_times(rehearsal: Rehearsal, settings: Mapping[str, Any], reserve: float) -> list[StageTime]:
    """Of a whole run, in order; nothing, where only one sequence at a time could be tried."""
    if not rehearsal.runs or rehearsal.starved:
        return []
    (tokens, stages), *scores = rehearsal.runs
    alone = [(count, durations(later)) for count, later in scores]
    budget = float(settings.get("max_wallclock_seconds", 0))
    how = "with" if rehearsal.compiled else "without"
    times = [StageTime("start and warm-up", rehearsal.start_seconds, f"as rehearsed, {how} compiling")]
    for name, (seconds, data) in durations(stages).items():
        if name == "train":
            left = budget - reserve if budget > 0 else None
            times.append(
                StageTime(name, left, "the budget less the reserve" if left is not None else "no budget: by steps")
            )
        elif data != "val":
            times.append(StageTime(name, seconds, "as rehearsed"))
        elif len(alone) == 2 and all(name in one for _, one in alone):
            (few, first), (many, second) = alone
            pair = (few, first[name][0]), (many, second[name][0])
            times.append(StageTime(name, on_the_line(*pair, rehearsal.full_tokens), f"{few:,} and {many:,} tokens"))
        else:
            basis = f"{tokens:,} tokens, and in proportion"
            times.append(StageTime(name, seconds * rehearsal.full_tokens / max(tokens, 1), basis))
    return times


def on_the_line(first: tuple[int, float], second: tuple[int, float], tokens: int) -> float:
    """Seconds at `tokens` on the line through two points; in proportion to the second where more tokens took no longer."""
    (few, short), (many, long) = first, second
    if many <= few or long <= short:
        return long * tokens / max(many, 1)
    return long + (long - short) * (tokens - many) / (many - few)


def evaluation_seconds(times: Sequence[StageTime]) -> float | None:
    """Of everything from the artifact to the last score; None where one of them is not known."""
    parts = [time.seconds for time in times if time.stage.split()[0] in EVALUATION]
    known = [part for part in parts if part is not None]
    return sum(known) if parts and len(known) == len(parts) else None
