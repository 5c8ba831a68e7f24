"""A submission folder as untrusted data: bounded reads, nothing outside the folder, nothing executed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgolf.challenge import CHALLENGES, DEFAULT_CHALLENGE, Challenge
from pgolf.errors import PgolfError
from pgolf.lock import LIMIT as LOCK_LIMIT
from pgolf.lock import LOCK_NAME, Lock, parse_lock
from pgolf.logs import RunRecord, parse_log

if TYPE_CHECKING:
    from pgolf.manager import Registry

CODE_NAME = "train_gpt.py"
JSON_NAME = "submission.json"
LOG_LIMIT = 64 * 2**20
LOG_COUNT = 64
JSON_LIMIT = 2**20
CODE_LIMIT = 32 * 2**20
ENTRY_LIMIT = 20_000
"""Most files and folders that are looked at."""


class Unreadable(Exception):
    """A file that cannot be used; the message says why."""


@dataclass(frozen=True)
class RunPlan:
    """Whether and how checks may execute the submission."""

    enabled: bool = False
    data: Path | None = None
    tokenizer: Path | None = None
    timeout: float = 1800.0
    note: Callable[[str], None] = lambda line: None


class View:
    """What checks see of a folder.

    Args:
        root: the submission folder.
        registry: gives the installed plugins; called only by checks that need them.
        run: whether checks may execute the submission.
    """

    def __init__(self, root: Path, registry: Callable[[], Registry], run: RunPlan | None = None):
        self.shown = root
        self.root = root.resolve()
        self.registry = registry
        self.run = run or RunPlan()

    @cached_property
    def challenge(self) -> Challenge:
        """The rule set of the lock, or the default one."""
        name = self.lock[0].recipe["challenge"] if self.lock[0] else DEFAULT_CHALLENGE
        return CHALLENGES.get(name, CHALLENGES[DEFAULT_CHALLENGE])

    def path(self, name: str) -> Path:
        """A regular file of the folder.

        Raises:
            Unreadable: when it is missing, leads outside the folder or is not a regular file.
        """
        try:
            path = (self.root / name).resolve()
            kind = path.stat().st_mode
        except FileNotFoundError:
            raise Unreadable("is missing") from None
        except (OSError, RuntimeError, ValueError) as error:
            raise Unreadable(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
        if not path.is_relative_to(self.root):
            raise Unreadable("leads out of the folder")
        if not stat.S_ISREG(kind):
            raise Unreadable("is not a regular file")
        return path

    def read(self, name: str, limit: int) -> bytes:
        """At most `limit` bytes of a file; Unreadable for a larger one."""
        path = self.path(name)
        try:
            with path.open("rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror or error}") from None
        if len(data) > limit:
            raise Unreadable(f"is larger than {limit:,} bytes")
        return data

    def exists(self, name: str) -> bool:
        """Is there a regular file of this name in the folder?"""
        try:
            self.path(name)
        except Unreadable:
            return False
        return True

    @cached_property
    def code(self) -> tuple[bytes | None, str]:
        """train_gpt.py and "", or None and the problem."""
        try:
            return self.read(CODE_NAME, CODE_LIMIT), ""
        except Unreadable as error:
            return None, f"{CODE_NAME} {error}"

    @cached_property
    def claim(self) -> tuple[dict[str, Any] | None, str]:
        """submission.json and "", or None and the problem."""
        try:
            document = json.loads(self.read(JSON_NAME, JSON_LIMIT).decode("utf-8"), parse_constant=_refuse_constant)
        except Unreadable as error:
            return None, f"{JSON_NAME} {error}"
        except UnicodeDecodeError as error:
            return None, f"{JSON_NAME} is not UTF-8 at byte {error.start}"
        except (ValueError, RecursionError) as error:
            return None, f"{JSON_NAME} is not JSON: {str(error)[:120]}"
        if not isinstance(document, dict):
            return None, f"{JSON_NAME} holds {type(document).__name__}, wanted an object"
        return document, ""

    @cached_property
    def lock(self) -> tuple[Lock | None, str]:
        """pgolf.lock and "", or None and the problem."""
        try:
            return parse_lock(self.read(LOCK_NAME, LOCK_LIMIT), LOCK_NAME), ""
        except Unreadable as error:
            return None, f"{LOCK_NAME} {error}"
        except PgolfError as error:
            return None, error.message

    @cached_property
    def log_names(self) -> list[str]:
        """Names of logs: `*.log` beside train_gpt.py, `*.log` and `*.txt` in logs/."""
        top = [name for name in self._names(".") if name.endswith(".log")]
        inner = [f"logs/{name}" for name in self._names("logs") if name.endswith((".log", ".txt"))]
        return (top + inner)[:LOG_COUNT]

    @cached_property
    def logs(self) -> dict[str, RunRecord]:
        """Every readable log by name."""
        found = {}
        for name in self.log_names:
            try:
                found[name] = parse_log(self.read(name, LOG_LIMIT).decode("utf-8", errors="replace"))
            except Unreadable:
                continue
        return found

    @cached_property
    def unreadable_logs(self) -> dict[str, str]:
        """Logs that cannot be read, and why."""
        found = {}
        for name in self.log_names:
            try:
                self.path(name)
                if name not in self.logs:
                    found[name] = f"is larger than {LOG_LIMIT:,} bytes or cannot be read"
            except Unreadable as error:
                found[name] = str(error)
        return found

    @cached_property
    def artifacts(self) -> dict[int, dict[str, Path]]:
        """seed -> file name -> compressed model, from artifacts/seed<SEED>/."""
        found: dict[int, dict[str, Path]] = {}
        for name in self._names("artifacts"):
            match = re.fullmatch(r"seed(\d{1,19})", name)
            if not match:
                continue
            for file in self._names(f"artifacts/{name}"):
                if re.fullmatch(r"final_model\.\w+\.ptz", file) and self.exists(f"artifacts/{name}/{file}"):
                    found.setdefault(int(match[1]), {})[file] = self.path(f"artifacts/{name}/{file}")
        return found

    def _names(self, folder: str) -> list[str]:
        """Sorted names in a folder of the submission; empty for one that is missing or leads outside."""
        path = (self.root / folder).resolve()
        if not path.is_relative_to(self.root) or not path.is_dir():
            return []
        try:
            return sorted(entry.name for entry in path.iterdir())[:ENTRY_LIMIT]
        except OSError:
            return []

    def walk(self) -> list[tuple[str, os.stat_result, Path]]:
        """(name, lstat, path) of everything below the folder, links not followed, at most `ENTRY_LIMIT`."""
        found: list[tuple[str, os.stat_result, Path]] = []
        for folder, folders, files in os.walk(self.root):
            for name in sorted((*folders, *files)):
                path = Path(folder) / name
                with contextlib.suppress(OSError):
                    found.append((os.path.relpath(path, self.root), path.lstat(), path))
                if len(found) >= ENTRY_LIMIT:
                    return found
        return found


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def printable(text: str) -> str:
    """Text with everything that is not printable escaped, so that a name cannot steer a terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in text
    )
