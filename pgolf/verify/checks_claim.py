"""Checks that submission.json says what the logs say."""

from __future__ import annotations

import math
import statistics
from typing import Any

from pgolf.verify.claims import STD_KEYS, Match, is_number, last_digit, seed_results, value_of
from pgolf.verify.evidence import has_seed, named_seed, seed_of
from pgolf.verify.folder import View, printable
from pgolf.verify.registry import Outcome, check, look_again, passed, per_log, skipped, violated, warned

NO_DATA = "needs a readable submission.json with a headline, and a finished log"
LOG_RULE = "openai/parameter-golf#86, #1981, #2118"


def _match(view: View) -> Match | None:
    """How the headline fits, or None where there is nothing to compare."""
    if view.claim[0] is None or view.evidence.claimed.value is None or not view.evidence.runs:
        return None
    scored = any(run.headline is not None or run.vals or run.bare_bpb for run in view.evidence.runs.values())
    return view.evidence.match if scored else None


@check(
    "claim.logged",
    "FAIL",
    "the headline val_bpb is the mean of the logs' final lines, or one final value of them",
    LOG_RULE,
    "submission.json says 1.1052, the logs end at 1.1084 on average and nowhere at 1.1052",
)
def check_headline(view: View) -> Outcome:
    """The claim against the logs; an odd key may mean another number, so that it is a warning there."""
    match = _match(view)
    if match is None:
        return skipped(NO_DATA)
    claimed, logged = (
        view.evidence.claimed,
        {n: r.headline.val_bpb for n, r in view.evidence.runs.items() if r.headline},
    )
    evidence: dict[str, Any] = {"key": claimed.key, "claimed": claimed.value, "logged": logged, "found": match.text}
    evidence |= {"used": [*view.evidence.judged], "not_used": view.evidence.set_aside}
    aside = f" (not counted: {', '.join(view.evidence.set_aside[:3])})" if view.evidence.set_aside else ""
    if match.kind == "trained":
        return warned(f"{claimed.key} {claimed.value} is {match.text}; the score counts after it", **evidence)
    if match.kind:
        return passed(printable(f"{claimed.key} {claimed.value} is {match.text}{aside}"), **evidence)
    values = [value_of(run, "val_bpb") for run in view.evidence.used.values() if run.headline and not run.diverged]
    mean = (
        f"the final lines have a mean of {statistics.fmean(values):.8f}"
        if values
        else "no log ends with a val_loss and val_bpb"
    )
    text = printable(f"{claimed.key} is {claimed.value}; {mean}, and no result of a log is that number{aside}")
    evidence["rerun"] = look_again(view.evidence.runs)
    return violated(text, **evidence) if claimed.key in ("val_bpb", "mean_val_bpb") else warned(text, **evidence)


@check(
    "claim.mean",
    "WARN",
    "with two logs or more the headline is their mean, not one run",
    "openai/parameter-golf README; #1902",
    "the headline is the best of three seeds",
)
def check_mean(view: View) -> Outcome:
    """The best seed of three says less than the mean."""
    match = _match(view)
    if match is None or not match.kind:
        return skipped(NO_DATA)
    if match.kind in ("run", "value") and len(view.evidence.trained) > 1:
        mean = statistics.fmean(match.values) if match.values else math.nan
        text = f"the headline is {match.text}; the mean of {len(match.values)} logs is {mean:.8f}"
        return violated(text, values=list(match.values))
    diverged = [name for name, run in view.evidence.used.items() if run.diverged]
    if diverged:
        return violated(f"the headline is {match.text}; {printable(', '.join(diverged))} ended in no number")
    return passed(f"the headline is {match.text}")


@check(
    "claim.line",
    "WARN",
    "the headline comes from the last final line of each training log",
    "pgolf: the last line is the result",
    "the claimed line is followed by one with another score",
)
def check_line(view: View) -> Outcome:
    """Which line carries the headline, where it is not the last."""
    match = _match(view)
    if match is None or not match.kind or match.kind == "trained":
        return skipped(NO_DATA)
    ends = {name: run.headline.label for name, run in view.evidence.trained.items() if run.headline is not None}
    if match.kind in ("line", "eval", "value"):
        where = "logs that only evaluate" if match.kind == "eval" else match.text
        return violated(f"the headline is from {where}; the training logs end with other lines", last_lines=ends)
    return passed(f"the headline is {match.text}", last_lines=ends)


@check(
    "claim.seed",
    "FAIL",
    "the val_bpb of each seed in submission.json is in the log of that seed",
    "openai/parameter-golf#1981, #2124",
    "seed 1337 is claimed with 1.14671, its log has 1.14738 and no 1.14671",
)
def check_seed(view: View) -> Outcome:
    """Each seed's number against the lines of its log; a seed without a log is not judged here."""
    results, runs = seed_results(view.claim[0] or {}), view.evidence.runs
    problems, compared = {}, 0
    for seed, result in results.items():
        claimed, own = result.get("val_bpb"), [run for name, run in runs.items() if has_seed(name, run, seed)]
        values = [float(pair.val_bpb) for run in own for pair in run.pairs]
        values += [float(text) for run in own for text in run.bare_bpb]
        if not is_number(claimed) or not values:
            continue
        compared += 1
        allowed = max(view.challenge.claim_tolerance, 0.5 * last_digit(float(claimed))) * (1 + 1e-9)
        if not any(abs(value - float(claimed)) <= allowed for value in values):
            ends = ", ".join(run.headline.val_bpb for run in own if run.headline is not None)
            problems[f"seed {seed}"] = f"val_bpb {claimed} is not in its log, which ends at {ends}"
    if not compared:
        return skipped("submission.json gives no val_bpb of a seed that has a log")
    return per_log(problems, f"{compared} seeds have their val_bpb in their logs", rerun=look_again(runs))


@check(
    "claim.std",
    "WARN",
    "the standard deviation is that of a sample (n - 1)",
    "pgolf: three seeds are a sample",
    "0.00046 for three values whose sample standard deviation is 0.00057",
)
def check_std(view: View) -> Outcome:
    """One unit of the last digit is allowed; of the logged scores, or of the seeds' as claimed."""
    claim, match = view.claim[0], _match(view)
    key = next((key for key in STD_KEYS if claim and is_number(claim.get(key))), "")
    if claim is None or match is None or len(match.values) < 2 or not key:
        return skipped("no standard deviation is claimed, or fewer than two logs are finished")
    claimed, sample, population = float(claim[key]), statistics.stdev(match.values), statistics.pstdev(match.values)
    evidence = {"claimed": claimed, "sample": sample, "population": population}
    unit = last_digit(claimed) * (1 + 1e-9)
    of_seeds = [result.get("val_bpb") for result in seed_results(claim).values()]
    stated = [float(value) for value in of_seeds if is_number(value)]
    own = statistics.stdev(stated) if len(stated) > 1 else sample
    if abs(claimed - sample) <= unit or abs(claimed - own) <= unit:
        return passed(f"{key} {claimed} is the sample standard deviation", **evidence)
    kind = "the population's" if abs(claimed - population) <= unit else "neither the sample's nor the population's"
    return violated(f"{key} is {claimed}, {kind}; wanted {sample:.8f}", **evidence)


@check(
    "claim.loss",
    "WARN",
    "val_loss of submission.json is in the logs",
    "pgolf: both numbers are read",
    "val_loss holds the val_bpb",
)
def check_loss(view: View) -> Outcome:
    """The mean, or one run's."""
    claim, runs = view.claim[0], view.evidence.runs
    losses = [float(pair.val_loss) for run in runs.values() for pair in run.pairs]
    if claim is None or not losses or not is_number(claim.get("val_loss")):
        return skipped("submission.json claims no val_loss, or no log has one")
    claimed, allowed = float(claim["val_loss"]), view.challenge.loss_tolerance
    match = view.evidence.match
    ends = [float(run.headline.val_loss) for run in runs.values() if run.headline is not None]
    means = [statistics.fmean(values) for values in (match.losses, ends) if values]
    if any(abs(claimed - value) <= allowed for value in (*means, *losses)):
        return passed(f"val_loss {claimed} is in the logs")
    bpb = [float(pair.val_bpb) for run in runs.values() for pair in run.pairs]
    hint = " (the field holds the val_bpb)" if any(abs(claimed - value) <= allowed for value in bpb) else ""
    text = f"{means[0]:.5f}" if means else "other values"
    return violated(f"val_loss is {printable(str(claimed))}, the logs have {text}{hint}", logged=ends)


@check(
    "seed.count",
    "WARN",
    "at least three seeds are logged",
    "openai/parameter-golf README; #1963, #2020, #2121",
    "one log of seed 1337",
)
def check_count(view: View) -> Outcome:
    """Distinct seeds of runs that are no copies; where submission.json names seeds and all have logs, of those alone."""
    evidence = view.evidence
    named = evidence.seeds and evidence.seeds <= {seed_of(name, run) for name, run in evidence.trained.items()}
    runs = evidence.used if named else evidence.runs
    failed = [name for name, run in runs.items() if run.diverged]
    every = {name: seed for name, run in runs.items() if (seed := seed_of(name, run)) is not None}
    seeds = sorted({seed for name, seed in every.items() if name not in failed})
    if not seeds or not view.evidence.timed:
        return skipped("no log names its seed" if not seeds else "the track does not ask for several seeds")
    if len(seeds) >= view.challenge.seeds:
        return passed(f"{len(seeds)} seeds: {', '.join(map(str, seeds))}", seeds=seeds)
    without = f"; {printable(', '.join(failed))} ended in no number" if failed else ""
    shown = f"{len(seeds)} seed{'s' if len(seeds) > 1 else ''} ({', '.join(map(str, seeds))})"
    return violated(f"{shown}; wanted {view.challenge.seeds}{without}", seeds=seeds)


@check(
    "seed.distinct",
    "FAIL",
    "logs that are named after different seeds are of different runs",
    "openai/parameter-golf#2139",
    "the log of seed 42 says seed:1337",
)
def check_distinct(view: View) -> Outcome:
    """Equal seeds or files are a violation, equal first losses a warning."""
    files = view.log_files
    named = [(name, seed, files[name]) for name in view.logs if (seed := named_seed(name)) is not None]
    if len({seed for _, seed, _ in named}) < 2:
        return skipped("fewer than two logs are named after seeds")
    problems, doubts = {}, {}
    for place, (name, seed, file) in enumerate(named):
        for other, other_seed, other_file in named[place + 1 :]:
            if seed == other_seed or file.record is None or other_file.record is None:
                continue
            pair, one, two = f"{name} and {other}", file.record, other_file.record
            if file.sha256 == other_file.sha256:
                problems[pair] = "are the same file"
            elif one.seed is not None and one.seed == two.seed:
                problems[pair] = f"both log seed {one.seed}"
            elif one.fingerprint is not None and one.fingerprint == two.fingerprint:
                problems[pair] = "are one run: every loss and score is equal"
            elif len(one.early) == 3 and one.early == two.early:
                doubts[pair] = "have equal losses at steps 1 to 3"
    if problems or not doubts:
        return per_log(problems, f"{len(named)} logs are of different runs")
    found = per_log(doubts, "")
    return Outcome("WARN", found.message, found.evidence)


@check(
    "seed.label",
    "WARN",
    "the seed in a log's name is the one that it logs",
    "openai/parameter-golf#2124",
    "train_seed0.log logs seed 1337",
)
def check_label(view: View) -> Outcome:
    """Names against contents."""
    named = {
        name: run for name, run in view.evidence.runs.items() if run.seed is not None and named_seed(name) is not None
    }
    if not named:
        return skipped("no log is named after a seed and logs one")
    problems = {name: f"logs seed {run.seed}" for name, run in named.items() if named_seed(name) != run.seed}
    return per_log(problems, f"{len(named)} logs are named after their seeds")
