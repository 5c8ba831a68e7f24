"""Running a submission: whether it may run at all, and what is taken from a run. Its words stay out of reports."""

from __future__ import annotations

import contextlib
import math
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgolf.lock import file_hash
from pgolf.logs import FinalLine, RunRecord, parse_log
from pgolf.verify.checks_artifact import ARTIFACT_LIMIT
from pgolf.verify.checks_lock import rebuilt
from pgolf.verify.folder import CODE_NAME, LOG_LIMIT, View
from pgolf.verify.sandbox import Refused, Sandbox, open_sandbox, program_limits, run_program

RUN_ID = "verify"
MOST_ARTIFACTS = 8


@dataclass(frozen=True)
class Permit:
    """How train_gpt.py may run: `reproduced` is whether pgolf has built the same bytes from the lock."""

    sandbox: Sandbox
    reproduced: bool

    def evidence(self) -> dict[str, Any]:
        """For reports."""
        return {"reproduced": self.reproduced, **self.sandbox.evidence()}


@dataclass(frozen=True)
class Ran:
    """One run of the program: `problem` is "" where it ended well. `artifacts` are hashes in the order of the files' names."""

    record: RunRecord
    artifacts: tuple[str, ...]
    problem: str
    limits: str

    @property
    def finals(self) -> list[FinalLine]:
        """The lines that are compared."""
        return exact_finals(self.record)

    @property
    def score(self) -> list[str]:
        """The numbers of the lines that are compared. Their labels are the program's words."""
        return [f"val_loss {final.val_loss} val_bpb {final.val_bpb}" for final in self.finals]


def exact_finals(record: RunRecord) -> list[FinalLine]:
    """Final lines with all digits."""
    return [final for final in record.finals if final.exact]


def permit(view: View) -> Permit:
    """Whether train_gpt.py may run, and in what.

    Foreign code, which pgolf has not built again from the lock byte for byte, runs when that is asked for and in bubblewrap
    alone.

    Raises:
        Refused: when it may not.
    """
    reproduced = rebuilt(view).status == "PASS"
    if not reproduced and not view.run.foreign:
        text = f"{CODE_NAME} is foreign code: it was not built again from pgolf.lock ({rebuilt(view).message})"
        raise Refused(f"{text}; give --foreign to run it all the same, in a sandbox")
    try:
        return Permit(open_sandbox(view.run.unsafe and reproduced), reproduced)
    except Refused as refused:
        if view.run.unsafe and not reproduced:
            raise Refused(f"{refused} (foreign code never runs without one)") from None
        raise


def execute(
    view: View,
    permitted: Permit,
    work: Path,
    code: bytes,
    values: dict[str, str],
    score: bool,
    readonly: Sequence[Path] = (),
) -> Ran:
    """Run train_gpt.py in `work`, training or scoring; what it printed stays in a file that the problem names."""
    work.mkdir(parents=True, exist_ok=True)
    (work / CODE_NAME).write_bytes(code)
    arguments = [CODE_NAME, "score"] if score else [CODE_NAME]
    limits = program_limits(view.run.timeout)
    finished = run_program(arguments, work, {**values, "RUN_ID": RUN_ID}, limits, readonly, permitted.sandbox.kind)
    record = parse_log(read_own(work / "logs" / f"{RUN_ID}.txt", work))
    paths = [path for path in sorted(work.glob("final_model.*.ptz")) if own_file(path, work)]
    problem = finished.excess
    if not problem and finished.status != 0:
        problem = f"ended with status {finished.status}"
    elif not problem and not exact_finals(record):
        problem = "ended without a final score"
    elif not problem and not all(is_finite(final) for final in exact_finals(record)):
        problem = "ended with a score that is no number"
    elif not problem:
        problem = artifacts_problem(paths)
    artifacts = () if problem else tuple(map(file_hash, paths))
    if problem:
        problem += f"; what it printed is in {finished.output}"
    else:
        finished.output.unlink()
    return Ran(record, artifacts, problem, finished.limits)


def is_finite(final: FinalLine) -> bool:
    """Are both numbers numbers?"""
    return math.isfinite(float(final.val_bpb)) and math.isfinite(float(final.val_loss))


def artifacts_problem(paths: Sequence[Path]) -> str:
    """Too many or too large to be read, or ""."""
    if len(paths) > MOST_ARTIFACTS:
        return f"left more than {MOST_ARTIFACTS} artifacts"
    if any(path.stat().st_size > ARTIFACT_LIMIT for path in paths):
        return f"left an artifact of more than {ARTIFACT_LIMIT:,} bytes"
    return ""


def own_file(path: Path, work: Path) -> bool:
    """A regular file that really lies in `work`: what a program leaves may be a link or a pipe."""
    return path.is_file() and path.resolve().is_relative_to(work)


def read_own(path: Path, work: Path) -> str:
    """A bounded part of a text that a program left, "" where it left none."""
    if not own_file(path, work):
        return ""
    with path.open("rb") as file:
        return file.read(LOG_LIMIT).decode("utf-8", errors="replace")


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder for runs, removed at the end: also folders that nobody may enter, and trees too deep for Python."""
    folder = Path(tempfile.mkdtemp(prefix="pgolf-verify-")).resolve()
    try:
        yield folder
    finally:
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            with contextlib.suppress(OSError):
                subprocess.run([*command, str(folder)], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)
