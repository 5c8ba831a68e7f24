"""What checks of logs and claims share: which files are logs, which of them are copies, which track applies."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from pgolf.logs import LogUnreadable, RunRecord, read_log
from pgolf.verify.claims import Claimed, Match, fit, read_claim, seed_results

if TYPE_CHECKING:
    from pgolf.verify.folder import View

LOG_NAME = re.compile(r".+\.(?:log|txt)(?:\.gz)?", re.IGNORECASE)
NOT_LOGS = re.compile(r"(?:requirements.*|license|readme|.*manifest.*)\.txt", re.IGNORECASE)
NAMED_SEED = re.compile(r"seed[_-]?(\d{1,19})(?!\d)", re.IGNORECASE)
OPEN_TRACK = re.compile(r"non.?record|unlimited", re.IGNORECASE)
SKIPPED_FOLDERS = ("artifacts", ".git")


class LogFile(NamedTuple):
    """A file that is the log of a run, or one that cannot be read."""

    record: RunRecord | None
    sha256: str
    problem: str


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
        if not LOG_NAME.fullmatch(parts[-1]) or NOT_LOGS.fullmatch(parts[-1]) or parts[0] in SKIPPED_FOLDERS:
            continue
        if path.is_dir() or (view.built and not _expected(parts)):
            continue
        yield name


def _expected(parts: tuple[str, ...]) -> bool:
    return (len(parts) == 1 and parts[0].endswith((".log", ".log.gz"))) or (len(parts) == 2 and parts[0] == "logs")


def read_logs(view: View) -> dict[str, LogFile]:
    """Records of the files that are logs of runs; other text counts only where a log is expected."""
    from pgolf.verify.folder import LOG_LIMIT, Unreadable

    found = {}
    for name in view.log_names:
        try:
            data = view.read(name, LOG_LIMIT)
            record = read_log(io.BytesIO(data))
        except (Unreadable, LogUnreadable, OSError) as error:
            found[name] = LogFile(None, "", str(error))
            continue
        if record.is_run or (view.built and _expected(PurePosixPath(name).parts)):
            found[name] = LogFile(record, hashlib.sha256(data).hexdigest(), "")
    return found


class Evidence:
    """The logs of a folder, each run once, and what they say about the claim."""

    def __init__(self, view: View):
        self.view = view

    @cached_property
    def runs(self) -> dict[str, RunRecord]:
        """Logs without byte-identical copies; of copies the one that names its seed stays."""
        kept: dict[str, str] = {}
        for name, file in self.view.log_files.items():
            if file.record is None:
                continue
            other = kept.get(file.sha256)
            if other is None or (named_seed(other) is None and named_seed(name) is not None):
                kept[file.sha256] = name
        return {name: record for name, record in self.view.logs.items() if name in set(kept.values())}

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
        return fit(self.claimed, self.runs, self.trained, self.of_seeds, self.view.challenge.claim_tolerance)

    @cached_property
    def of_seeds(self) -> dict[str, RunRecord]:
        """Runs of the seeds that submission.json names."""
        claim = self.view.claim[0] or {}
        listed = claim.get("seeds")
        seeds = set(seed_results(claim)) | {
            seed for seed in (listed if isinstance(listed, list) else ()) if type(seed) is int
        }
        return {name: run for name, run in self.trained.items() if seeds & {run.seed, named_seed(name)}}

    @cached_property
    def claim_runs(self) -> dict[str, RunRecord]:
        """The logs that the claim rests on; all where it rests on none, or on ones that only evaluate."""
        found = {name: self.runs[name] for name in self.match.names if name in self.trained}
        return found or self.runs

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


def has_seed(name: str, record: RunRecord, seed: int) -> bool:
    """Is it the log of this seed, by what it says or by its name?"""
    return seed in (record.seed, named_seed(name))
