"""submission.json and README.md from the logs of a folder: no number comes from anywhere else."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgolf.challenge import find_challenge
from pgolf.errors import PgolfError
from pgolf.files import write_atomically
from pgolf.lock import Lock, file_hash, read_lock
from pgolf.logs import RunRecord, parse_log
from pgolf.run.figures import (
    RECORD_TRACK,
    check_claim,
    compliance,
    mean_of,
    result,
    significance,
    sizes_and_times,
    std_of,
)
from pgolf.submission import CODE_NAME

JSON_NAME = "submission.json"
README_NAME = "README.md"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class People:
    """What the logs cannot know; "" leaves the default."""

    author: str = ""
    github_id: str = ""
    name: str = ""


def read_runs(folder: Path) -> dict[int, RunRecord]:
    """Finished logs by seed.

    Raises:
        PgolfError: PG504 when there is none, or one is unfinished, of another build or of a seed that has one already.
    """
    code = file_hash(folder / CODE_NAME)
    runs: dict[int, RunRecord] = {}
    for path in sorted((folder / "logs").glob("*.log")):
        record = parse_log(path.read_text(encoding="utf-8", errors="replace"))
        problem = ""
        if not record.finished or record.seed is None:
            problem = "is not finished"
        elif record.code_sha256 != code:
            problem = f"was made by another file than {CODE_NAME}"
        elif record.seed in runs:
            problem = f"is a second log of seed {record.seed}"
        if problem:
            raise PgolfError("PG504", f"the log {problem}", str(path), "train that seed again, or move the log away")
        assert record.seed is not None
        runs[record.seed] = record
    if not runs:
        raise PgolfError("PG504", "there is no finished log", str(folder / "logs"), f"run pgolf train {folder}")
    return runs


def describe(folder: Path, people: People, claim: float | None = None) -> tuple[dict[str, Any], list[str]]:
    """The submission's metadata, and notes on what somebody should fill in.

    Raises:
        PgolfError: PG504 for a headline that is not the mean of the logs.
    """
    lock, runs = read_lock(folder), read_runs(folder)
    check_claim(claim, runs, str(folder))
    known, notes = _known_people(folder, lock, people)
    rules = find_challenge(lock.recipe["challenge"])
    document = {
        **known,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "track": track(lock),
        "val_bpb": mean_of(runs, "val_bpb") if claim is None else claim,
        "val_loss": mean_of(runs, "val_loss"),
        "val_bpb_std": std_of(runs, "val_bpb"),
        "val_loss_std": std_of(runs, "val_loss"),
        "std_kind": "sample (n - 1)",
        "seeds": sorted(runs),
        "seed_results": {str(seed): result(runs[seed]) for seed in sorted(runs)},
        **sizes_and_times(runs),
    }
    if document["track"] == RECORD_TRACK:
        document |= {"compliance": compliance(runs, rules), **significance(runs, rules)}
        notes += [
            f"the logs say that {key} is not so" for key, value in document["compliance"].items() if value is False
        ]
    return document, notes


def _known_people(folder: Path, lock: Lock, people: People) -> tuple[dict[str, str], list[str]]:
    """Names: from the command line, an earlier submission.json, git, or "unknown" with a note."""
    earlier = _earlier(folder)
    chosen = ", ".join(lock.recipe["plugins"]) or "the baseline"
    defaults = {
        "author": git_value("user.name") or UNKNOWN,
        "github_id": git_value("github.user") or UNKNOWN,
        "name": lock.name,
        "blurb": lock.recipe["notes"] or f"Built by pgolf from {chosen}.",
    }
    given = {"author": people.author, "github_id": people.github_id, "name": people.name, "blurb": ""}
    found = {}
    for key, default in defaults.items():
        before = earlier.get(key, "")
        before = before if isinstance(before, str) and before != UNKNOWN else ""
        found[key] = given[key] or before or default
    options = {"author": "--author", "github_id": "--github-id"}
    notes = [f"{key} is {UNKNOWN!r}; give {option}" for key, option in options.items() if found[key] == UNKNOWN]
    return found, notes


def _earlier(folder: Path) -> Mapping[str, Any]:
    try:
        document = json.loads((folder / JSON_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def git_value(key: str) -> str:
    """A value of git's configuration, or ""."""
    try:
        done = subprocess.run(["git", "config", "--get", key], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def track(lock: Lock) -> str:
    """The record track is for full-size builds with a budget."""
    budget = lock.settings.get("max_wallclock_seconds", 0)
    return RECORD_TRACK if not lock.smoke and 0 < budget <= 600 else "non_record_16mb"


def readme(document: Mapping[str, Any], lock: Lock) -> str:
    """A skeleton with the result table; the words are the author's."""
    rows = [
        f"| {seed} | {row['val_bpb']:.8f} | {row['val_loss']:.8f} | {row['artifact_bytes']:,} | {row['steps']} "
        f"| {row['train_time_s']} | {row['eval_time_s']} |"
        for seed, row in document["seed_results"].items()
    ]
    std = "" if document["val_bpb_std"] is None else f" (sample std {document['val_bpb_std']:.8f})"
    plugins = lock.recipe["plugins"]
    names = [f"- `{name}` ({lock.plugins[name]['origin']} {lock.plugins[name]['version']})" for name in plugins]
    lines = [
        f"# {document['name']}",
        "",
        document["blurb"],
        "",
        f"val_bpb **{document['val_bpb']:.8f}**{std} over {len(rows)} seed{'s' if len(rows) > 1 else ''}, "
        f"at most {document['bytes_total']:,} bytes.",
        "",
        "| seed | val_bpb | val_loss | bytes | steps | train s | eval s |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *rows,
        "",
        *_comparison(document),
        f"Hardware: {document['hardware']}. PyTorch {document['pytorch_version']}.",
        "",
        "## What is new",
        "",
        "(Say what changed, why it should help, and what was measured with and without it.)",
        "",
        "## Techniques",
        "",
        *(names or ["The public baseline, nothing added."]),
        "",
        "## Reproduce",
        "",
        "`train_gpt.py` was built by pgolf; `pgolf.lock` holds the recipe, all versions and hashes.",
        "",
        "    pgolf verify .        # rebuilds train_gpt.py from pgolf.lock and checks logs, bytes and claims",
        "    pgolf train . --data data --nproc 8 --seeds " + ",".join(document["seed_results"]),
    ]
    return "\n".join(lines) + "\n"


def _comparison(document: Mapping[str, Any]) -> list[str]:
    """One sentence on the row to beat, where there is one."""
    if document.get("p_value_welch_one_sided") is None:
        return []
    return [
        f"Against #{document['comparison_baseline_pr']} ({document['comparison_baseline_bpb']:.8f}): "
        f"{document['delta_vs_baseline_bpb']:+.6f} BPB, {document['delta_vs_baseline_nats']:+.6f} nats per token; "
        f"one-sided Welch p {document['p_value_welch_one_sided']:.4g}, with the margin of 0.005 nats "
        f"{document['p_value_with_margin_0p005_nats']:.4g}.",
        "",
    ]


def package(
    folder: Path, people: People, force: bool = False, claim: float | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Write submission.json, and README.md where there is none.

    Returns:
        The metadata, and notes.

    Raises:
        PgolfError: PG001, PG504 or PG505 when the folder is not a trained build.
    """
    if not (folder / CODE_NAME).is_file():
        raise PgolfError("PG001", f"there is no {CODE_NAME}", str(folder), "build the folder with pgolf build")
    document, notes = describe(folder, people, claim)
    write_atomically(folder / JSON_NAME, (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())
    path = folder / README_NAME
    if force or not path.exists():
        write_atomically(path, readme(document, read_lock(folder)).encode())
    else:
        notes.append(f"{path} stays as it is; --force writes it anew")
    return document, notes
