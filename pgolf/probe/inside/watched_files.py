"""Files and the clock while a script runs: which shards it opens, what it writes when, and a clock that ticks by calls."""

from __future__ import annotations

import glob
import hashlib
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch

from pgolf.probe.inside.birth_recorder import Recorder

TICK = 0.001
SCRATCH = ".scratch"
"""The folder of a trial that stands for `/tmp` and the home folder; nothing in it is an artifact."""
TRAIN, VALIDATION, MODEL = "fineweb_train_", "fineweb_val_", ".model"
PLAIN = (".txt", ".log", ".py", ".json", ".md", ".c", ".csv", ".tsv", ".jsonl", ".pyc")


class Watch:
    """What a script does to files.

    Args:
        recorder: takes the events.
        folder: where the script runs; files written below it are its artifacts, texts are not.
        hide: after how many openings of artifacts for writing the training shards are emptied; 0 for never.
    """

    def __init__(self, recorder: Recorder, folder: Path, hide: int = 0):
        self.recorder, self.folder, self.hide = recorder, folder, hide
        self.written: dict[str, int] = {}
        self.shards: list[Path] = []
        self.active = True
        self.hidden = False
        self.writes = 0

    def start(self) -> None:
        """Begin to watch; there is no end to it in this process."""
        sys.addaudithook(self._audit)
        save = torch.save

        def watched(value: Any, file: Any, *args: Any, **kwargs: Any) -> None:
            if isinstance(file, (str, Path)):
                self._opened(str(file), writing=True)
            save(value, file, *args, **kwargs)

        torch.save = watched  # type: ignore[assignment]

    def _audit(self, event: str, args: Any) -> None:
        if not self.active:
            return
        if event == "open" and isinstance(args[0], str):
            flags = args[2] if isinstance(args[2], int) else 0
            writing = any(mark in (args[1] or "") for mark in "wax+") or bool(flags & (os.O_WRONLY | os.O_RDWR))
            self._opened(args[0], writing)
        elif event == "os.rename":
            self._moved(os.fsdecode(args[0]), os.fsdecode(args[1]))
        elif event == "socket.connect":
            self.recorder.event("network", what=str(args[1])[:100], line=self.recorder.line())

    def _opened(self, name: str, writing: bool) -> None:
        base = os.path.basename(name)  # noqa: PTH119
        if self.hide and self.writes >= self.hide and not self.hidden:
            self._hide()
        if writing and self._artifact(name):
            self.writes += 1
            self.recorder.event("write", name=base[:80], line=self.recorder.line())
            self.written[os.path.abspath(name)] = self.recorder.now  # noqa: PTH100
        elif not writing and base.startswith((TRAIN, VALIDATION)):
            kind = "train" if base.startswith(TRAIN) else "validation"
            self.recorder.event("open", what=kind, line=self.recorder.line())

    def _moved(self, old: str, new: str) -> None:
        """An artifact that was written under another name first."""
        at = self.written.pop(os.path.abspath(old), 0)  # noqa: PTH100
        if at and self._artifact(new):
            self.written[os.path.abspath(new)] = at  # noqa: PTH100
            for event in self.recorder.events:
                if event["kind"] == "write" and event["at"] == at:
                    event["name"] = os.path.basename(new)[:80]  # noqa: PTH119

    def _artifact(self, name: str) -> bool:
        path = os.path.abspath(name)  # noqa: PTH100
        data = TRAIN in path or VALIDATION in path
        aside = data or "__pycache__" in path or f"/{SCRATCH}/" in path
        return path.startswith(str(self.folder)) and not path.endswith(PLAIN) and not aside

    def _hide(self) -> None:
        """Fill the training shards with zeros in place, so that mapped ones are empty as well."""
        self.hidden, self.active = True, False
        for path in self.shards:
            with path.open("r+b") as file:
                file.seek(1024)
                file.write(bytes(max(path.stat().st_size - 1024, 0)))
        self.active = True

    def artifacts(self, before: int) -> dict[str, str]:
        """SHA-256 of what was written before an event, by name."""
        self.active = False
        found = {}
        for name, at in self.written.items():
            path = Path(name)
            if at < before and path.is_file() and not path.is_symlink():
                found[path.name[:80]] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found


def stand_in_for_clock() -> None:
    """Time goes on by a millisecond each time that somebody looks, so that two runs are equal."""
    state = [1_000_000.0]

    def now() -> float:
        state[0] += TICK
        return state[0]

    for name in ("perf_counter", "monotonic", "time", "process_time"):
        setattr(time, name, now)
        setattr(time, f"{name}_ns", lambda: int(now() * 1e9))
    time.sleep = lambda seconds: None


def redirect(folder: Path, tokenizer: Path) -> None:
    """Shards and tokenizers that a script names by a path of its own are those of `folder`."""
    find, under = glob.iglob, Path.glob

    def replaced(pattern: str) -> list[str]:
        base = os.path.basename(pattern)  # noqa: PTH119
        for mark in ("fineweb_val_bytes", VALIDATION, TRAIN):
            if mark in base or (mark.removeprefix("fineweb") in base and mark != VALIDATION):
                return sorted(str(path) for path in under(folder, f"{mark}*.bin"))
        if "val" in base or "train" in base:
            return sorted(str(path) for path in under(folder, f"{VALIDATION if 'val' in base else TRAIN}0*.bin"))
        return []

    def better(pattern: Any, *args: Any, **kwargs: Any) -> list[str]:
        return list(find(pattern, *args, **kwargs)) or replaced(str(pattern))

    def better_under(self: Path, pattern: str, *args: Any, **kwargs: Any) -> Any:
        return list(under(self, pattern, *args, **kwargs)) or [Path(name) for name in replaced(pattern)]

    glob.glob = better  # type: ignore[assignment]
    glob.iglob = lambda *args, **kwargs: iter(better(*args, **kwargs))  # type: ignore[assignment]
    Path.glob = better_under  # type: ignore[method-assign]
    try:
        import sentencepiece
    except ImportError:
        return
    load = sentencepiece.SentencePieceProcessor.Load

    def load_ours(self: Any, model_file: Any = None, *args: Any, **kwargs: Any) -> Any:
        if model_file is not None and not os.path.exists(str(model_file)):  # noqa: PTH110
            model_file = str(tokenizer)
        return load(self, model_file, *args, **kwargs)

    sentencepiece.SentencePieceProcessor.Load = load_ours  # type: ignore[method-assign]
    sentencepiece.SentencePieceProcessor.load = load_ours  # type: ignore[method-assign]
