"""What one side of a comparison says of itself: plugins, settings, bytes, runs. What it does not say is None, never empty."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pgolf.errors import PgolfError
from pgolf.lock import LOCK_NAME, Lock, differences, parse_lock, read_lock
from pgolf.logs import LogUnreadable, RunRecord, read_runs
from pgolf.manager import Registry
from pgolf.recipe import Recipe, load_recipe
from pgolf.submission import CODE_NAME, RECIPE_NAME, make

LOG_ENDINGS = (".log", ".txt", ".log.gz", ".txt.gz")
RUN_TIME = ("data_path", "tokenizer_path", "seed")
"""Settings of the machine and the run, which make no other program."""


@dataclass
class Side:
    """One side.

    Attributes:
        plugins: name -> version and hash of the source; of a log, names alone with "".
        settings: every setting; of a log, what its header says.
        code_bytes: of the file.
        plugin_bytes: plugin -> compressed bytes.
        runs: seed, or a number from -1 down where a log names none -> the run.
        notes: what could not be found out, and why.
    """

    name: str
    kind: str
    plugins: Mapping[str, str] | None = None
    settings: Mapping[str, Any] | None = None
    code_bytes: int | None = None
    plugin_bytes: Mapping[str, int] | None = None
    runs: dict[int, RunRecord] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_side(path: Path, registry: Callable[[], Registry], with_bytes: bool) -> Side:
    """A recipe file, a folder with a recipe or a lock, a lock, a log, or a folder of logs.

    Raises:
        PgolfError: PG001 for what is none of these, or from reading or building it.
    """
    if not path.exists():
        raise PgolfError("PG001", "there is no such file or folder", str(path), "give a recipe, folder, lock or log")
    if path.is_file():
        if path.suffix == ".toml":
            return of_recipe(load_recipe(path), str(path), registry(), with_bytes)
        if path.name.endswith(LOG_ENDINGS):
            return of_logs([path], str(path))
        return of_lock(parse_lock(path.read_bytes(), str(path)), str(path), registry, with_bytes)
    if (path / LOCK_NAME).is_file() and ((path / CODE_NAME).is_file() or not (path / RECIPE_NAME).is_file()):
        side = of_lock(read_lock(path), str(path), registry, with_bytes)
    elif (path / RECIPE_NAME).is_file():
        side = of_recipe(load_recipe(path), str(path), registry(), with_bytes)
    else:
        return of_logs(logs_in(path), str(path))
    side.runs = of_logs(found, "").runs if (found := logs_in(path / "logs")) else {}
    return side


def of_recipe(recipe: Recipe, name: str, registry: Registry, with_bytes: bool) -> Side:
    """Built in memory."""
    made = make(recipe, registry)
    side = Side(name, "recipe", identities(made.lock), made.lock.settings, made.lock.code_bytes)
    side.plugin_bytes = made.plugin_bytes() if with_bytes else None
    return side


def of_lock(lock: Lock, name: str, registry: Callable[[], Registry], with_bytes: bool) -> Side:
    """By what it says; bytes of plugins need the same plugins here."""
    side = Side(name, "lock", identities(lock), lock.settings, lock.code_bytes)
    if with_bytes:
        others = differences(lock, registry())
        if others:
            side.notes.append(
                f"bytes by plugin are not known: {others[0]}{f' and {len(others) - 1} more' * (len(others) > 1)}"
            )
        else:
            side.plugin_bytes = make(
                lock.to_recipe(), registry(), lock.pack.get("choice", "auto"), lock.smoke
            ).plugin_bytes()
    return side


def identities(lock: Lock) -> dict[str, str]:
    """plugin -> `version (first digits of the hash)`."""
    return {name: f"{entry['version']} ({entry['sha256'][:8]})" for name, entry in lock.plugins.items()}


def logs_in(folder: Path) -> list[Path]:
    """The logs right in a folder."""
    return sorted(path for path in folder.glob("*") if path.is_file() and path.name.endswith(LOG_ENDINGS))


def of_logs(paths: list[Path], name: str) -> Side:
    """Every run in them; PG001 where there is none."""
    side = Side(name, "logs")
    for path in paths:
        try:
            found = [record for record in read_runs(path) if record.is_run]
        except (LogUnreadable, OSError) as error:
            raise PgolfError("PG001", f"the log cannot be read: {error}", str(path)) from None
        for record in found:
            seed = record.seed if record.seed is not None and record.seed not in side.runs else -1 - len(side.runs)
            side.runs[seed] = record
    if not side.runs and name:
        raise PgolfError(
            "PG001", "there is no recipe, lock or log of a run", name, "give a recipe, folder, lock or log"
        )
    first = next(iter(side.runs.values()), RunRecord())
    side.plugins = dict.fromkeys(first.plugins, "") or None
    side.settings = dict(first.hyperparameters) or None
    side.code_bytes = first.code_bytes
    return side
