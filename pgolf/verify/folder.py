"""A submission folder as untrusted data: bounded reads, nothing outside the folder, nothing executed."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pgolf.challenge import CHALLENGES, DEFAULT_CHALLENGE, Challenge
from pgolf.errors import PgolfError
from pgolf.errors import printable as printable
from pgolf.lock import LIMIT as LOCK_LIMIT
from pgolf.lock import LOCK_NAME, Lock, parse_lock
from pgolf.logs import RunRecord
from pgolf.strict_json import strict_loads
from pgolf.verify.folder_open import open_inside

if TYPE_CHECKING:
    from pgolf.manager import Registry
    from pgolf.probe.probing import Result
    from pgolf.verify.code_program import Code, Program
    from pgolf.verify.evidence import Evidence, LogFile
    from pgolf.verify.pull_request import Change

CODE_NAME = "train_gpt.py"
JSON_NAME = "submission.json"
LOG_LIMIT = 16 * 2**20
LOG_COUNT = 64
LOG_LINES = 400_000
"""Most lines of all logs together; their text shares `READ_BUDGET`, unpacked."""
JSON_LIMIT = 2**20
CODE_LIMIT = 16 * 2**20
READ_BUDGET = 96 * 2**20
"""Most bytes of all files together that one view reads."""
ENTRY_LIMIT = 20_000
"""Most files and folders that are looked at."""


class Unreadable(Exception):
    """A file that cannot be used; the message says why."""


@dataclass(frozen=True)
class RunPlan:
    """Whether and how checks may execute the submission; `repack` only minifies and packs its text again.

    `unsafe` lets a file that was built again byte for byte run without a sandbox, `foreign` any other file in one.
    `rebuild_limit`: most seconds of the processor for building again, None for what reading leaves of those for the answer.
    `probes` names probes, or "all"; `probe_seed` draws their positions, None for a seed that nobody knows before.
    `changes` are those of the pull request, None where there is none.
    """

    enabled: bool = False
    data: Path | None = None
    tokenizer: Path | None = None
    timeout: float = 1800.0
    repack: bool = False
    note: Callable[[str], None] = lambda line: None
    unsafe: bool = False
    foreign: bool = False
    rebuild_limit: float | None = None
    probes: tuple[str, ...] = ()
    probe_seed: int | None = None
    changes: tuple[Change, ...] | None = None


class View:
    """What checks see of a folder.

    Args:
        root: the submission folder.
        registry: gives the installed plugins; called only by checks that need them.
        run: whether checks may execute the submission.
        rules: the rule set to judge by, instead of the one that the lock names.
    """

    def __init__(
        self, root: Path, registry: Callable[[], Registry], run: RunPlan | None = None, rules: Challenge | None = None
    ):
        self.shown = root
        self.root = root.resolve()
        self.registry = registry
        self.run = run or RunPlan()
        self.rules = rules
        self.exceeded: list[str] = []
        self.probed: Result | str | None = None
        self._left = READ_BUDGET

    def exceed(self, reason: str) -> None:
        """Note what was too much, for `pkg.limits`."""
        if reason not in self.exceeded:
            self.exceeded.append(reason)

    @cached_property
    def challenge(self) -> Challenge:
        """The given rule set, that of the lock, or the default one."""
        if self.rules is not None:
            return self.rules
        name = self.lock[0].recipe["challenge"] if self.lock[0] else DEFAULT_CHALLENGE
        return CHALLENGES.get(name, CHALLENGES[DEFAULT_CHALLENGE])

    def path(self, name: str) -> Path:
        """A regular file of the folder.

        Raises:
            Unreadable: when it is missing, leads outside the folder or is not a regular file.
        """
        try:
            path = (self.root / name).resolve()
            if not path.is_relative_to(self.root):
                raise Unreadable("leads out of the folder")
            kind = path.stat().st_mode
        except FileNotFoundError:
            raise Unreadable("is missing") from None
        except (OSError, RuntimeError, ValueError) as error:
            raise Unreadable(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
        if not stat.S_ISREG(kind):
            raise Unreadable("is not a regular file")
        return path

    def read(self, name: str, limit: int) -> bytes:
        """A whole file of at most `limit` bytes; all reads of one view together stay within `READ_BUDGET`.

        Raises:
            Unreadable: also for a file that is larger, or that was exchanged since `path` looked at it.
        """
        path = self.path(name)
        try:
            with open_inside(self.root, path.relative_to(self.root)) as file:
                info = os.fstat(file.fileno())
                if not stat.S_ISREG(info.st_mode):
                    raise Unreadable("is not a regular file")
                if info.st_size > limit:
                    raise Unreadable(f"is larger than {limit:,} bytes")
                if info.st_size > self._left:
                    self.exceed(f"{name} is not read: the folder holds more than {READ_BUDGET:,} bytes of text")
                    raise Unreadable(f"is not read: the folder holds more than {READ_BUDGET:,} bytes of text")
                data = file.read(limit + 1)
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror or error}") from None
        self._left -= len(data)
        if len(data) > limit:
            raise Unreadable(f"is larger than {limit:,} bytes")
        return data

    def open(self, name: str) -> IO[bytes]:
        """A file to read in parts, which counts for no budget: whoever reads it has limits of their own.

        Raises:
            Unreadable: as `path` does.
        """
        try:
            file = open_inside(self.root, self.path(name).relative_to(self.root))
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror or error}") from None
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise Unreadable("is not a regular file")
        return file

    def exists(self, name: str) -> bool:
        """Is there a regular file of this name in the folder?"""
        try:
            self.path(name)
        except Unreadable:
            return False
        return True

    @cached_property
    def code_name(self) -> str:
        """train_gpt.py, or the script that stands for it."""
        from pgolf.verify.evidence import stand_in

        return stand_in(self, CODE_NAME, r"train.*\.py", r".*\.py")

    @cached_property
    def json_name(self) -> str:
        """submission.json, or the file that stands for it."""
        from pgolf.verify.evidence import stand_in

        return stand_in(self, JSON_NAME, r"submission.*\.json")

    @cached_property
    def built(self) -> bool:
        """Did pgolf build this folder? Then it is held to what pgolf writes."""
        return any(name == LOCK_NAME for name, _, _ in self.walk())

    @cached_property
    def code(self) -> tuple[bytes | None, str]:
        """train_gpt.py and "", or None and the problem."""
        try:
            return self.read(self.code_name, CODE_LIMIT), ""
        except Unreadable as error:
            return None, f"{self.code_name} {error}"

    @cached_property
    def program(self) -> Program:
        """What train_gpt.py runs, read as text: unpacked, followed into siblings, parsed."""
        from pgolf.verify.code_program import read_program

        return read_program(self.code[0] or b"", lambda name: self.read(name, CODE_LIMIT), self.code_name)

    @cached_property
    def python(self) -> Code:
        """The program together with the Python files beside it."""
        from pgolf.verify.code_program import Code

        return Code(self)

    @cached_property
    def claim(self) -> tuple[dict[str, Any] | None, str]:
        """submission.json and "", or None and the problem."""
        try:
            document = strict_loads(self.read(self.json_name, JSON_LIMIT).decode("utf-8"))
        except Unreadable as error:
            return None, f"{self.json_name} {error}"
        except UnicodeDecodeError as error:
            return None, f"{self.json_name} is not UTF-8 at byte {error.start}"
        except (ValueError, RecursionError) as error:
            return None, f"{self.json_name} is not JSON: {str(error)[:120]}"
        if not isinstance(document, dict):
            return None, f"{self.json_name} holds {type(document).__name__}, wanted an object"
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
    def evidence(self) -> Evidence:
        """The logs without copies, and how the claim fits them."""
        from pgolf.verify.evidence import Evidence

        return Evidence(self)

    @cached_property
    def log_names(self) -> list[str]:
        """Names of files that may be logs of runs."""
        from pgolf.verify.evidence import find_logs

        return find_logs(self)[:LOG_COUNT]

    @cached_property
    def log_files(self) -> dict[str, LogFile]:
        """Every readable log of a run by name, with its hash."""
        from pgolf.verify.evidence import read_logs

        return read_logs(self)

    @property
    def logs(self) -> dict[str, RunRecord]:
        """Every readable log by name."""
        return {name: file.record for name, file in self.log_files.items() if file.record is not None}

    @property
    def unreadable_logs(self) -> dict[str, str]:
        """Logs that cannot be read, and why."""
        return {name: file.problem for name, file in self.log_files.items() if file.problem}

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
            with os.scandir(path) as entries:
                return sorted(entry.name for entry in islice(entries, ENTRY_LIMIT))
        except OSError:
            return []

    def walk(self) -> list[tuple[str, os.stat_result, Path]]:
        """(name, lstat, path) of everything below the folder, links not followed, at most `ENTRY_LIMIT`."""
        return self._walked[0]

    @property
    def cut(self) -> str:
        """What of the folder `walk` does not show, "" where it shows all."""
        return self._walked[1]

    @cached_property
    def _walked(self) -> tuple[list[tuple[str, os.stat_result, Path]], str]:
        found: list[tuple[str, os.stat_result, Path]] = []
        folders, cut = [self.root], ""
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(folder) as entries:
                    paths = sorted(Path(entry.path) for entry in islice(entries, ENTRY_LIMIT + 1 - len(found)))
            except OSError as error:
                name = printable(os.path.relpath(folder, self.root))
                cut = cut or f"the folder {name} cannot be read: {error.strerror or error}"
                continue
            if len(found) + len(paths) > ENTRY_LIMIT:
                cut = f"there are more than {ENTRY_LIMIT:,} files and folders; the rest is not looked at"
                paths, folders = paths[: ENTRY_LIMIT - len(found)], []
            for path in paths:
                with contextlib.suppress(OSError):
                    info = path.lstat()
                    found.append((os.path.relpath(path, self.root), info, path))
                    if stat.S_ISDIR(info.st_mode):
                        folders.append(path)
            if cut.startswith("there are more"):
                break
        return found, cut
