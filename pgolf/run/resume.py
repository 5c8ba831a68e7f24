"""Going on with a run that was ended: which checkpoint is the newest, what was lost since, and one log of both parts.

logs/RUN.before     the log up to the checkpoint; the program then starts logs/RUN.txt anew
the kept log        RUN.before, and of RUN.txt what follows its line `resumed:`
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from pgolf.errors import PgolfError
from pgolf.files import write_atomically

FOLDER = "checkpoints"
NAME = re.compile(r"step_(\d{8})")
LINE = re.compile(r"(?:phase \S+ on at )?step:(\d+)\S* (train_loss|val_loss|train_time):?")
TIMED = re.compile(r"^step:(\d+)/\d+ .*train_time:(\d+)ms", re.M)
RESUMED = re.compile(r"^resumed: ", re.M)


def complete(folder: Path) -> list[Path]:
    """The whole checkpoints of a folder, oldest first."""
    return sorted(path for path in folder.glob("step_*") if NAME.fullmatch(path.name) and path.is_dir())


def newest(folder: Path) -> Path | None:
    """The one to go on from."""
    return next(reversed(complete(folder)), None)


def step_of(checkpoint: Path) -> int:
    """Steps that were done."""
    return int(checkpoint.name.removeprefix("step_"))


def prepare(folder: Path, run_id: str) -> str:
    """Keep the log up to the newest checkpoint of a run's folder; returns what was lost since, as a text.

    Raises:
        PgolfError: PG001 where there is no checkpoint.
    """
    checkpoint = newest(folder / FOLDER)
    if checkpoint is None:
        hint = "train with --checkpoint-every N: only a run that has written a checkpoint can go on"
        raise PgolfError("PG001", "there is no checkpoint", str(folder / FOLDER), hint)
    step = step_of(checkpoint)
    whole = joined(folder, run_id, keep_all=False)
    before = up_to(whole, step)
    write_atomically(folder / "logs" / f"{run_id}.before", before.encode())
    return lost(whole, before, step)


def joined(folder: Path, run_id: str, keep_all: bool) -> str:
    """One log of the run's parts; of a part that never got to go on everything, or nothing."""
    before, written = (folder / "logs" / f"{run_id}{suffix}" for suffix in (".before", ".txt"))
    text = written.read_text(encoding="utf-8", errors="replace") if written.is_file() else ""
    if not before.is_file():
        return text
    match = RESUMED.search(text)
    more = text[match.start() :] if match else text if keep_all else ""
    return before.read_text(encoding="utf-8", errors="replace") + more


def up_to(text: str, step: int) -> str:
    """The lines that will not be written again by a run that goes on after `step` steps.

    They end with the line of the checkpoint. A run that was killed before it could write it shows by its steps where it was.
    """
    written = re.search(rf"^checkpoint step:{step} .*\n", text, re.M)
    if written:
        return text[: written.end()]
    kept = []
    for line in text.splitlines(keepends=True):
        match = LINE.match(line)
        if match and int(match[1]) >= step + (match[2] == "train_loss"):
            break
        kept.append(line)
    return "".join(kept)


def lost(whole: str, before: str, step: int) -> str:
    """Steps and training time between the checkpoint and the last line."""
    ends = [TIMED.findall(text) for text in (before, whole)]
    if not ends[1] or int(ends[1][-1][0]) <= step:
        return "nothing that was logged"
    first = int(ends[0][-1][1]) if ends[0] else 0
    last_step, last_ms = map(int, ends[1][-1])
    return f"{last_step - step} steps or more, {max(last_ms - first, 0)}ms of training"


def refuse_unfinished(folder: Path, go_on: str) -> None:
    """PG004 where a run has checkpoints and has not ended: to start anew would lose it."""
    checkpoint = newest(folder / FOLDER)
    if checkpoint is not None:
        text = f"an unfinished run is there, with a checkpoint of step {step_of(checkpoint)}"
        raise PgolfError("PG004", text, str(folder), f"go on with `{go_on}`, or remove {folder / FOLDER} to start anew")


def forget(folder: Path, run_id: str) -> None:
    """A run that has ended needs no checkpoints."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    (folder / "logs" / f"{run_id}.before").unlink(missing_ok=True)
