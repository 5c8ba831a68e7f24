"""Checks of time and hardware, for the track that limits them."""

from __future__ import annotations

from pgolf.logs import RunRecord
from pgolf.verify.folder import View
from pgolf.verify.registry import Outcome, check, passed, per_log, skipped, violated

DIGIT_SECONDS = 0.05
"""Collection times are printed with one digit."""
NO_LIMIT = "the track has no limit on time"


def timed(view: View) -> dict[str, RunRecord]:
    """Runs that the limits are for: of the record track; smoke runs of pgolf have no budget and no limit."""
    runs = view.evidence.judged if view.evidence.timed else {}
    return {name: run for name, run in runs.items() if not view.built or run.max_wallclock_seconds != 0.0}


@check(
    "time.train",
    "FAIL",
    "training ends within the limit",
    "openai/parameter-golf README; #1908, #1956",
    "stopping_early: wallclock_cap train_time:602300ms",
)
def check_train_time(view: View) -> Outcome:
    """Milliseconds at the stop."""
    limit, allowance = view.challenge.train_seconds, view.challenge.allowance_seconds
    seconds = {name: run.train_ms / 1000.0 for name, run in timed(view).items() if run.train_ms is not None}
    return _time(seconds, limit, allowance, "training", view)


@check(
    "time.eval",
    "FAIL",
    "the final evaluation ends within the limit",
    "openai/parameter-golf README; #529, #1972",
    "final_int6_ttt_exact with an eval_time of 895,300 ms",
)
def check_eval_time(view: View) -> Outcome:
    """The timer of the headline, and what the whole validation stream was read for before it."""
    limit, allowance = view.challenge.eval_seconds, view.challenge.allowance_seconds
    seconds = {}
    for name, run in timed(view).items():
        if run.eval_ms is not None:
            before = sum(stage.end_ms - stage.begin_ms for stage in run.stages if stage.name == "fields")
            seconds[name] = (run.eval_ms + before) / 1000.0
    found = _time(seconds, limit, allowance, "evaluation", view)
    return Outcome(found.status, found.message, {**found.evidence, "all_scoring_seconds": _all_scoring(view)})


def _all_scoring(view: View) -> dict[str, float]:
    """Timers of every result and diagnostic together: more than the limit is for, and worth a look."""
    return {
        name: round(sum(line.eval_ms or 0.0 for line in (*run.finals, *run.diagnostics)) / 1000.0, 3)
        for name, run in timed(view).items()
    }


def _time(seconds: dict[str, float], limit: float, allowance: float, what: str, view: View) -> Outcome:
    if not seconds:
        return skipped(f"no log gives the time of the {what}" if timed(view) else NO_LIMIT)
    problems = {
        name: f"{what} took {value:.1f} s; the limit is {limit:g} s"
        for name, value in seconds.items()
        if not value <= limit + allowance
    }
    text = f"{what} took at most {max(seconds.values()):.1f} s of {limit:g} s in {len(seconds)} logs"
    return per_log(problems, text, seconds=seconds)


@check(
    "time.calib",
    "FAIL",
    "statistics for quantization that come from training data are collected within the training time",
    "openai/parameter-golf#569, #593, #606, #677, #1019",
    "training stops at 600.0 s and collection from training data starts then",
)
def check_calibration(view: View) -> Outcome:
    """Stages say when collection ended, and that decides.

    Without them, a violation where nothing was reserved and the time was used up, a warning where the sum is too much.
    """
    rules, problems, doubts, sums = view.challenge, {}, {}, {}
    for name, run in timed(view).items():
        found, stop = run.calibration, (run.stop_ms or 0.0) / 1000.0
        if run.stages:
            collected = [
                stage for stage in run.stages if stage.name in ("calibration", "fit") and stage.data == "train"
            ]
            sums[name] = end = max((stage.end_ms / 1000.0 for stage in collected), default=0.0)
            if end > rules.train_seconds + rules.allowance_seconds:
                problems[name] = f"training data are read until {end:.1f} s; the limit is {rules.train_seconds:g} s"
        elif found.source == "self":
            sums[name] = stop
        elif found.source == "train" and run.stop_ms is not None and found.after_stop:
            sums[name] = total = stop + (found.seconds or 0.0)
            if not found.reserved and stop >= rules.full_seconds:
                problems[name] = f"training data are read after the stop at {stop:.1f} s, and no time was reserved"
            elif total > rules.train_seconds + rules.allowance_seconds + DIGIT_SECONDS:
                doubts[name] = f"stop and collection make {total:.1f} s; the limit is {rules.train_seconds:g} s"
    if not sums:
        return skipped("no log says what statistics were collected from" if timed(view) else NO_LIMIT)
    if problems or not doubts:
        return per_log(problems, f"statistics were collected in time in {len(sums)} logs", seconds=sums)
    found_doubts = per_log(doubts, "", seconds=sums)
    return Outcome("WARN", found_doubts.message, found_doubts.evidence)


@check(
    "hw.gpu",
    "WARN",
    "every run used eight ranks on H100",
    "openai/parameter-golf README",
    "world_size:4",
)
def check_hardware(view: View) -> Outcome:
    """World size and GPU rows; a log that names no GPU is not judged."""
    rules, problems, good = view.challenge, {}, 0
    for name, run in timed(view).items():
        if run.world_size is not None and run.world_size != rules.ranks:
            problems[name] = f"ran {run.world_size} ranks, wanted {rules.ranks}"
        elif any(rules.gpu not in gpu for gpu in run.gpus):
            problems[name] = f"ran on {run.hardware}, wanted {rules.hardware}"
        elif run.world_size is not None and run.gpus:
            good += 1
    if problems:
        found = per_log(problems, "")
        return violated(found.message, **found.evidence)
    if not good:
        return skipped("no log names its GPUs" if timed(view) else NO_LIMIT)
    return passed(f"{rules.ranks} ranks on {rules.gpu} in {good} logs")
