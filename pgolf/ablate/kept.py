"""Reads what `pgolf ablate` has kept in a folder: every pair of runs that is there, also of one that was stopped."""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path
from typing import Any

from pgolf.ablate.ablate import Ablation, Outcome, Run, compare
from pgolf.ablate.variants import BASE
from pgolf.submission import CODE_NAME

LIMIT = 2**16
"""Most bytes of the file of one run."""


def is_ablation(folder: Path) -> bool:
    """Has the folder runs of a base?"""
    return any((folder / BASE / "runs").glob("seed*.json"))


def read_kept(folder: Path) -> Ablation:
    """The pairs of runs with equal options, the base first. A file that is damaged is a problem of its variant."""
    base, options, problem = read_runs(folder / BASE)
    outcomes = [Outcome(BASE, tuple(base.values()), None, (), problem)]
    for root in sorted(path for path in folder.iterdir() if path.name[:1] in ("-", "+") and path.is_dir()):
        runs, own, problem = read_runs(root)
        if options and own and own != options:
            problem = problem or "its runs had other options than the base's"
            runs = {}
        effect = compare(base, runs, code_bytes(root) - code_bytes(folder / BASE))
        outcomes.append(Outcome(root.name, tuple(runs.values()), effect, (), problem or "no run yet" * (not runs)))
    scores = [run.val_bpb for run in base.values()]
    return Ablation(tuple(outcomes), statistics.stdev(scores) if len(scores) > 1 else math.nan)


def read_runs(root: Path) -> tuple[dict[int, Run], dict[str, Any], str]:
    """(seed -> run, the options of them all, what is wrong)."""
    runs: dict[int, Run] = {}
    options: dict[str, Any] = {}
    for path in sorted((root / "runs").glob("seed*.json")):
        try:
            with path.open("rb") as file:
                found = json.loads(file.read(LIMIT))
            run = Run(**{name: kind(found["run"][name]) for name, kind in KINDS.items()})
            own = {name: value for name, value in found["key"].items() if name != "code_sha256"}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return {}, {}, f"{path.name} is no run"
        if not math.isfinite(run.val_bpb) or (options and own != options):
            return {}, {}, f"{path.name} has no score" if own == (options or own) else "its runs had different options"
        runs[run.seed], options = run, own
    return runs, options, ""


KINDS: dict[str, Any] = {"seed": int, "val_bpb": float, "bytes_total": int, "steps": int, "train_seconds": float}


def code_bytes(root: Path) -> int:
    """Of the file; 0 where there is none."""
    try:
        return (root / CODE_NAME).stat().st_size
    except OSError:
        return 0
