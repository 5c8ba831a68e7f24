"""What checks of logs and claims share: which files are logs, which of them are copies, which track applies."""

from __future__ import annotations

import hashlib
import io
import math
import re
from collections.abc import Iterator
from functools import cached_property, partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from pgolf.logs import Budget, LogUnreadable, RunRecord, read_runs
from pgolf.verify.claims import Claimed, Match, fit, is_number, read_claim, seed_results, value_of

if TYPE_CHECKING:
    from pgolf.verify.folder import View

LOG_NAME = re.compile(r".+\.(?:log|txt)(?:\.gz)?", re.IGNORECASE)
NOT_LOGS = ("requirements", "license.txt", "readme.txt")
NAMED_SEED = re.compile(r"seed[_-]?(\d{1,19})(?!\d)", re.IGNORECASE)
OPEN_TRACK = re.compile(r"non.?record|unlimited", re.IGNORECASE)
SKIPPED_FOLDERS = ("artifacts", ".git")


class LogFile(NamedTuple):
    """A file that is the log of a run, or one that cannot be read."""

    record: RunRecord | None
    sha256: str
    problem: str


UNKNOWN_FORMAT = "is a log of no format that is known"
TOO_LONG = "is longer than what is read of the logs of a folder, and is not judged"


def stand_in(view: View, name: str, *patterns: str) -> str:
    """`name`, or the largest file at the top whose name fits the first pattern that any fits."""
    top = {shown: info.st_size for shown, info, _ in view.walk() if "/" not in shown}
    if name in top:
        return name
    for pattern in patterns:
        fitting = [shown for shown in top if re.fullmatch(pattern, shown) and view.exists(shown)]
        if fitting:
            return max(fitting, key=lambda shown: (top[shown], shown))
    return name


def find_logs(view: View) -> list[str]:
    """Files that may be logs, `.log` first; those of a folder that pgolf built lie at the top or in logs/."""
    return sorted(_candidates(view), key=lambda name: (".log" not in name.lower(), name.count("/"), name))


def _candidates(view: View) -> Iterator[str]:
    for name, _, path in view.walk():
        parts = PurePosixPath(name).parts
        low = parts[-1].lower()
        other = low.endswith(".txt") and (low.startswith(NOT_LOGS) or "manifest" in low)
        if not LOG_NAME.fullmatch(parts[-1]) or other or parts[0] in SKIPPED_FOLDERS:
            continue
        if path.is_dir() or (view.built and not _expected(parts)):
            continue
        yield name


def _expected(parts: tuple[str, ...]) -> bool:
    return (len(parts) == 1 and parts[0].endswith((".log", ".log.gz"))) or (len(parts) == 2 and parts[0] == "logs")


def read_logs(view: View) -> dict[str, LogFile]:
    """Records of the runs in files that are logs; other text counts only where a log is expected.

    A file with several finished runs gives `name (run 1)` and so on.
    """
    from pgolf.verify.folder import LOG_LIMIT, LOG_LINES, READ_BUDGET, Unreadable

    found = {}
    budget = Budget(READ_BUDGET, LOG_LINES)
    for name in view.log_names:
        try:
            data = view.read(name, LOG_LIMIT)
            runs = read_runs(io.BytesIO(data), budget)
        except (Unreadable, LogUnreadable, OSError) as error:
            found[name] = LogFile(None, "", str(error))
            continue
        digest, expected = hashlib.sha256(data).hexdigest(), view.built and _expected(PurePosixPath(name).parts)
        for number, record in enumerate(runs, 1):
            shown = name if len(runs) == 1 else f"{name} (run {number})"
            if not record.complete:
                found[shown] = LogFile(None, "", TOO_LONG)
            elif record.is_run or expected:
                found[shown] = LogFile(record, f"{digest} {number}", "")
            elif record.looks_like_a_log:
                found[shown] = LogFile(None, "", UNKNOWN_FORMAT)
    return found


class Evidence:
    """The logs of a folder, each run once, and what they say about the claim."""

    def __init__(self, view: View):
        self.view = view

    @cached_property
    def runs(self) -> dict[str, RunRecord]:
        """Logs without copies, of the file or of the run in it; of copies the one that names its seed stays."""
        kept: dict[object, str] = {}
        logs = self.view.logs
        for name, record in logs.items():
            keys: list[object] = [self.view.log_files[name].sha256]
            if record.fingerprint is not None:
                keys.append((record.seed, hash(record.fingerprint)))
            other = next((kept[key] for key in keys if key in kept), None)
            stays = other is None or (named_seed(other) is None and named_seed(name) is not None)
            kept |= dict.fromkeys(keys, name if stays or other is None else other)
            if stays and other is not None:
                kept = {key: name if value == other else value for key, value in kept.items()}
        return {name: record for name, record in logs.items() if name in set(kept.values())}

    @cached_property
    def trained(self) -> dict[str, RunRecord]:
        """Runs that trained; all of them where none did."""
        return {name: run for name, run in self.runs.items() if run.train or run.stop_ms is not None} or self.runs

    @cached_property
    def claimed(self) -> Claimed:
        """The headline of submission.json."""
        return read_claim(self.view.claim[0] or {})

    @cached_property
    def match(self) -> Match:
        """Where the headline is found in the logs."""
        pools = (self.used, self.runs, self.trained, self.of_seeds)
        return fit(self.claimed, pools, self.trained, self.view.challenge.claim_tolerance)

    @cached_property
    def seeds(self) -> set[int]:
        """Seeds that submission.json names."""
        claim = self.view.claim[0] or {}
        listed = claim.get("seeds")
        return set(seed_results(claim)) | {
            seed for seed in (listed if isinstance(listed, list) else ()) if type(seed) is int
        }

    @cached_property
    def of_seeds(self) -> dict[str, RunRecord]:
        """Runs of the seeds that submission.json names."""
        return {name: run for name, run in self.trained.items() if self.seeds & {run.seed, named_seed(name)}}

    @cached_property
    def used(self) -> dict[str, RunRecord]:
        """One run of each seed: of those that submission.json names where each has a log, else of all that trained."""
        by_seed: dict[int, list[str]] = {}
        alone = []
        for name, run in self.trained.items():
            seed = seed_of(name, run)
            if seed is None:
                alone.append(name)
            else:
                by_seed.setdefault(seed, []).append(name)
        if self.seeds and self.seeds <= set(by_seed):
            by_seed, alone = {seed: by_seed[seed] for seed in self.seeds}, []
        chosen = {max(reversed(names), key=partial(self._fitness, seed)) for seed, names in by_seed.items()}
        return {name: run for name, run in self.trained.items() if name in chosen or name in alone}

    def _fitness(self, seed: int, name: str) -> tuple[bool, ...]:
        """What speaks for a run where one seed has several: the claim, a score, the name; of equals the last was meant."""
        run, result = self.runs[name], seed_results(self.view.claim[0] or {}).get(seed, {}).get("val_bpb")
        score = value_of(run, "val_bpb")
        close = is_number(result) and abs(score - float(result)) <= self.view.challenge.claim_tolerance
        return close, math.isfinite(score), named_seed(name) == seed

    @cached_property
    def claim_runs(self) -> dict[str, RunRecord]:
        """The logs that the claim rests on; those of the seeds where it rests on none, or on ones that only evaluate."""
        found = {name: self.runs[name] for name in self.match.names if name in self.trained}
        return found or self.used

    @cached_property
    def judged(self) -> dict[str, RunRecord]:
        """The runs that rules on runs are for: those that the claim rests on and those of the seeds."""
        return {name: run for name, run in self.runs.items() if name in self.claim_runs or name in self.used}

    @property
    def set_aside(self) -> list[str]:
        """Runs that are not judged: others than those of the seeds."""
        return [name for name in self.trained if name not in self.judged]

    @cached_property
    def timed(self) -> bool:
        """Is it of the track with limits on time and hardware?"""
        claim = self.view.claim[0] or {}
        said = str(claim.get("track", "")) or next((part for part in self.view.root.parts if "track_" in part), "")
        return not OPEN_TRACK.search(said[:200]) and not any(
            OPEN_TRACK.search(part) for part in self.view.root.parts[-2:-1]
        )


def named_seed(name: str) -> int | None:
    """The seed in a file name."""
    found = NAMED_SEED.findall(PurePosixPath(name).name)
    return int(found[-1]) if found else None


def seed_of(name: str, record: RunRecord) -> int | None:
    """The seed that a log says, else the one in its name."""
    return record.seed if record.seed is not None else named_seed(name)


def has_seed(name: str, record: RunRecord, seed: int) -> bool:
    """Is it the log of this seed, by what it says or by its name?"""
    return seed in (record.seed, named_seed(name))
