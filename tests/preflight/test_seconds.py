"""Seconds of a run from those of its rehearsal."""

import itertools

from pgolf.logs import Stage
from pgolf.preflight.rehearsal import Rehearsal
from pgolf.preflight.seconds import StageTime, durations, evaluation_seconds, on_the_line, stage_times

WHOLE = [
    Stage("train", 0, 10_000, "train"),
    Stage("diagnostic", 10_000, 12_000, "val"),
    Stage("quantize", 12_000, 15_000, "none"),
    Stage("decode", 15_000, 16_000, "none"),
    Stage("score", 16_000, 30_000, "val"),
    Stage("score", 30_000, 31_000, "val"),
]


def alone(*seconds):
    ends = [0.0]
    for second in seconds:
        ends.append(ends[-1] + 1000 * second)
    return [Stage("score", *pair, "val") for pair in itertools.pairwise(ends)]


def test_stages_of_one_name_are_told_apart():
    assert [*durations(WHOLE)] == ["train", "diagnostic", "quantize", "decode", "score", "score 2"]


def test_what_compiles_is_not_multiplied():
    runs = [(100, WHOLE), (100, alone(2, 3)), (400, alone(5, 3))]
    times = {
        one.stage: one.seconds
        for one in stage_times(
            Rehearsal(full_tokens=1000, start_seconds=7.0, runs=runs), {"max_wallclock_seconds": 600}, 14
        )
    }
    assert times == {
        "start and warm-up": 7.0,
        "train": 586.0,
        "diagnostic": 20.0,
        "quantize": 3.0,
        "decode": 1.0,
        "score": 11.0,  # 1 s and 1 s for each 100 tokens
        "score 2": 7.5,  # no longer with more tokens: in proportion
    }
    made = [StageTime(name, value, "") for name, value in times.items()]
    assert evaluation_seconds(made) == 1.0 + 11.0 + 7.5
    assert evaluation_seconds([StageTime("adapt", None, "")]) is None and evaluation_seconds([]) is None


def test_without_scores_or_a_budget():
    (start, train, *_, score, _) = stage_times(Rehearsal(full_tokens=1000, runs=[(100, WHOLE)]), {}, 0.0)
    assert (start.seconds, train.seconds, score.seconds) == (None, None, 140.0)
    assert stage_times(Rehearsal(), {}, 0.0) == []
    assert on_the_line((100, 2.0), (100, 2.0), 200) == 4.0
