"""Numbers of a submission.json: all of them from the logs, and the claim checked against them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import Any

from pgolf.challenge import Challenge
from pgolf.errors import PgolfError
from pgolf.logs import RunRecord

Runs = Mapping[int, RunRecord]
RECORD_TRACK = "10min_16mb"
DIGITS = 8


def score(record: RunRecord, key: str) -> float:
    """`val_bpb` or `val_loss` of the headline of a finished run."""
    assert record.headline is not None
    return float(getattr(record.headline, key))


def mean_of(runs: Runs, key: str) -> float:
    """Mean over the seeds."""
    return round(statistics.fmean(score(run, key) for run in runs.values()), DIGITS)


def std_of(runs: Runs, key: str) -> float | None:
    """Sample standard deviation over the seeds (n - 1); None for one seed."""
    values = [score(run, key) for run in runs.values()]
    return round(statistics.stdev(values), DIGITS) if len(values) > 1 else None


def check_claim(claim: float | None, runs: Runs, where: str) -> None:
    """Refuse a headline that is not the mean of the logs, to its last digit; PG504."""
    if claim is None:
        return
    mean, digits = mean_of(runs, "val_bpb"), max(4, len(repr(claim).partition(".")[2]))
    if not abs(claim - mean) <= 0.5 * 10.0**-digits * 1.001:
        logged = ", ".join(f"seed {seed}: {score(run, 'val_bpb'):.8f}" for seed, run in sorted(runs.items()))
        text = f"the logs do not carry val_bpb {claim!r}: their mean is {mean:.8f}"
        hint = "leave --claim out, or give the mean"
        raise PgolfError("PG504", f"{text} ({logged})", where, hint)


def result(record: RunRecord) -> dict[str, Any]:
    """What one seed came to."""
    stepped = record.train_ms / record.steps if record.train_ms is not None and record.steps else None
    return {
        "val_bpb": score(record, "val_bpb"),
        "val_loss": score(record, "val_loss"),
        "artifact_bytes": record.total_bytes,
        "model_bytes": record.model_bytes,
        "steps": record.steps,
        "step_avg_ms": None if stepped is None else round(stepped, 2),
        "train_time_s": seconds(record.train_ms),
        "eval_time_s": seconds(record.eval_ms),
    }


def seconds(milliseconds: float | None) -> float | None:
    """Milliseconds as seconds, to a millisecond."""
    return None if milliseconds is None else round(milliseconds / 1000.0, 3)


def sizes_and_times(runs: Runs) -> dict[str, Any]:
    """Extremes and means over the seeds; None where no log says."""
    first = next(iter(runs.values()))
    totals = [run.total_bytes or 0 for run in runs.values()]
    return {
        "bytes_total": max(totals),
        "bytes_code": first.code_bytes,
        "bytes_model": max((run.model_bytes or 0 for run in runs.values()), default=None),
        "artifact_bytes_mean": round(statistics.fmean(totals)),
        "artifact_bytes_max": max(totals),
        "train_time_s_mean": _mean(runs, lambda run: run.train_ms),
        "eval_time_s_mean": _mean(runs, lambda run: run.eval_ms),
        "peak_memory_mib": max((run.peak_mib for run in runs.values() if run.peak_mib is not None), default=None),
        "model_params": first.model_params,
        "val_tokens": first.val_tokens,
        "hardware": first.hardware,
        "pytorch_version": first.pytorch,
        "python_version": first.python,
    }


def _mean(runs: Runs, value: Callable[[RunRecord], float | None]) -> float | None:
    found = [number for run in runs.values() if (number := value(run)) is not None]
    return seconds(statistics.fmean(found)) if found else None


def compliance(runs: Runs, rules: Challenge) -> dict[str, bool | None]:
    """The limits of the record track as the logs show them; None where they do not say."""
    train, evaluation = [run.train_ms for run in runs.values()], [run.eval_ms for run in runs.values()]
    return {
        "train_under_600s": _within(train, rules.train_seconds + rules.allowance_seconds),
        "eval_under_600s": _within(evaluation, rules.eval_seconds + rules.allowance_seconds),
        "artifact_under_16mb": max(run.total_bytes or 0 for run in runs.values()) <= rules.artifact_cap,
        "three_seeds": len(runs) >= rules.seeds,
    }


def _within(milliseconds: list[float | None], limit: float) -> bool | None:
    known = [value for value in milliseconds if value is not None]
    return max(known) / 1000.0 <= limit if len(known) == len(milliseconds) and known else None


def significance(runs: Runs, rules: Challenge) -> dict[str, Any]:
    """The comparison with the leaderboard row to beat; empty where there is nothing to test."""
    from pgolf.leaderboard import row_to_beat
    from pgolf.statistics import compare

    values = [score(run, "val_bpb") for run in runs.values()]
    row = row_to_beat(values, None)
    if len(values) < 2 or row is None:
        return {}
    nats = mean_of(runs, "val_loss") / mean_of(runs, "val_bpb")
    found = compare(values, nats, row.label, row.seed_val_bpb, rules)
    return {
        "comparison_baseline_pr": row.pr,
        "comparison_baseline_bpb": round(found.baseline_mean, DIGITS),
        "delta_vs_baseline_bpb": round(found.delta_bpb, DIGITS),
        "delta_vs_baseline_nats": round(found.delta_nats, DIGITS),
        "p_value_welch_one_sided": found.p_without_margin,
        "p_value_with_margin_0p005_nats": found.p_with_margin,
    }
