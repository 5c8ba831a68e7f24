"""For notebooks and scripts: what the commands do, as functions with types.

    import pgolf.api as pgolf

    built = pgolf.build(["swa", "bank_qat"], settings={"num_layers": 11}, smoke=True)
    built.write("submissions/quick")
    report = pgolf.verify("submissions/quick")
    print(report.verdict, report.failures)

Errors are `pgolf.PgolfError`, with code, message, where and hint.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgolf.errors import PgolfError
from pgolf.lock import Lock
from pgolf.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from pgolf.compare.differences import Differences
    from pgolf.forecast.forecast import Forecast
    from pgolf.logs import RunRecord
    from pgolf.manager import Registry
    from pgolf.preflight.preflight import Report as PreflightReport
    from pgolf.submission import Made

__all__ = [
    *("Built", "PgolfError", "Verified"),
    *("build", "diff", "forecast", "preflight", "read_logs", "recipe", "report", "verify"),
]
AnyPath = str | PathLike[str]


@dataclass(frozen=True)
class Built:
    """A build in memory."""

    made: Made

    @property
    def code(self) -> bytes:
        """train_gpt.py."""
        return self.made.built.code

    @property
    def plugin_bytes(self) -> Mapping[str, int]:
        """Plugin -> compressed bytes, an estimate."""
        return self.made.plugin_bytes()

    def write(self, folder: AnyPath) -> Lock:
        """Write train_gpt.py, recipe.toml and pgolf.lock; PG004 where another's file would be lost."""
        from pgolf.submission import write_submission

        return write_submission(self.made, Path(folder))


@dataclass(frozen=True)
class Verified:
    """What verify says of one folder; `report` is the document of `--json`."""

    report: Mapping[str, Any]

    @property
    def verdict(self) -> str:
        """ "pass" or not."""
        return str(self.report["verdict"])

    @property
    def failures(self) -> list[str]:
        """`id: message` of every check that failed."""
        return [f"{one['id']}: {one['message']}" for one in self.report["checks"] if one["status"] == "FAIL"]


def registry_of(plugin_dirs: Sequence[AnyPath]) -> Registry:
    """Built-in plugins, installed ones, and those of folders."""
    from pgolf.manager import load_registry

    return load_registry(tuple(map(Path, plugin_dirs)))


def recipe(what: AnyPath | Sequence[str], settings: Mapping[str, Any] | None = None, name: str = "") -> Recipe:
    """A recipe of a file, of a folder, or of plugins by name; `settings` are on top of its own.

    Raises:
        PgolfError: PG001 or PG002 for one that cannot be read.
    """
    if isinstance(what, (str, PathLike)):
        path = Path(what)
        if not path.exists() and isinstance(what, str) and "/" not in what and not what.endswith(".toml"):
            raise PgolfError(
                "PG001", f"there is no recipe {what}", hint=f"give a path, or plugins as a list: [{what!r}]"
            )
        found = load_recipe(path)
    else:
        found = Recipe(name="-".join(what) or "baseline", layers=(tuple(what),))
    values = {**found.settings, **(settings or {})}
    return replace(found, settings=values, name=name or found.name, fixed=found.fixed | frozenset(settings or ()))


def build(
    what: AnyPath | Sequence[str] | Recipe,
    settings: Mapping[str, Any] | None = None,
    *,
    smoke: bool = False,
    pack: str = "auto",
    plugin_dirs: Sequence[AnyPath] = (),
) -> Built:
    """Build a recipe, given as a path, plugins or itself; nothing is written.

    Raises:
        PgolfError: what `pgolf build` would say.
    """
    from pgolf.submission import make, smoke_recipe

    registry = registry_of(plugin_dirs)
    chosen = what if isinstance(what, Recipe) else recipe(what, settings)
    if isinstance(what, Recipe) and settings:
        chosen = replace(chosen, settings={**chosen.settings, **settings})
    chosen = smoke_recipe(chosen, registry) if smoke else chosen
    return Built(make(chosen, registry, pack, smoke))


def forecast(
    what: AnyPath | Sequence[str] | Recipe, settings: Mapping[str, Any] | None = None, *, steps: int | None = None
) -> Forecast:
    """Bytes of file and artifact before training."""
    from pgolf.forecast.forecast import forecast as make_forecast

    chosen = what if isinstance(what, Recipe) else recipe(what, settings)
    return make_forecast(chosen, registry_of(()), steps, None)


def verify(folder: AnyPath, *, plugin_dirs: Sequence[AnyPath] = ()) -> Verified:
    """Check a folder without running it, as `pgolf verify` does, in a process of its own.

    The reader copies its process; a copy of one with threads, such as PyTorch's or a notebook's, may wait for these forever.

    Raises:
        PgolfError: what `pgolf verify` would say; PG004 where it gives no answer.
    """
    return Verified(run_command("verify", [*dirs(plugin_dirs), str(Path(folder))]))


def report(folders: Sequence[AnyPath], page: AnyPath, *, build: bool = True) -> list[dict[str, Any]]:
    """Write the page of `pgolf report`, in a process of its own; gives the figures of every folder.

    Raises:
        PgolfError: what `pgolf report` would say.
    """
    words = [f"--output={Path(page)}", *([] if build else ["--no-build"]), *(str(Path(folder)) for folder in folders)]
    found: list[dict[str, Any]] = run_command("report", words)["folders"]
    return found


def dirs(plugin_dirs: Sequence[AnyPath]) -> list[str]:
    """As options of a command."""
    return [f"--plugin-dir={Path(path).resolve()}" for path in plugin_dirs]


def run_command(name: str, words: Sequence[str]) -> dict[str, Any]:
    """What a command prints with --json, in a process of its own; an error is raised here."""
    words = [name, "--json", *words]
    command = [sys.executable, "-c", f"from pgolf.cli.main import main; main({words!r})"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise PgolfError("PG004", f"{name} gave no answer: {last[0][:200]}", words[-1]) from None
    if not isinstance(found, dict):
        raise PgolfError("PG004", f"{name} gave no document", words[-1])
    if "errors" in found:
        first = found["errors"][0]
        raise PgolfError(first["code"], first["message"], first["where"] or "", first["help"] or "")
    return found


def read_logs(path: AnyPath) -> list[RunRecord]:
    """Every run of a log of any known script; PG001 for what cannot be read."""
    from pgolf.logs import LogUnreadable, read_runs

    try:
        return [record for record in read_runs(Path(path)) if record.is_run]
    except (LogUnreadable, OSError) as error:
        raise PgolfError("PG001", f"the log cannot be read: {error}", str(path)) from None


def diff(a: AnyPath, b: AnyPath, *, with_bytes: bool = True) -> Differences:
    """Two recipes, folders, locks or logs."""
    from pgolf.compare.differences import compare
    from pgolf.compare.sides import read_side

    return compare(*(read_side(Path(path), partial(registry_of, ()), with_bytes) for path in (a, b)))


def preflight(
    path: AnyPath, *, data: AnyPath | None = None, nproc: int = 1, smoke: bool = False, compiled: bool = False
) -> PreflightReport:
    """What would spoil a run; `report.ready` and `report.findings`."""
    from pgolf.preflight.preflight import Wishes
    from pgolf.preflight.preflight import preflight as look

    wishes = Wishes(Path(path), None if data is None else Path(data), None, nproc, smoke, compiled=compiled)
    return look(wishes, partial(registry_of, ()), str)
