"""`pgolf build --watch`: builds again whenever something that decides the bytes changes.

Each build runs in a process forked from this one (`standby`), which has PyTorch loaded and no plugin: plugins are imported
afresh every time, and a plugin that breaks its process does no harm. What a build made comes back and is used again while the
syntax trees of everything it read stay the same, so that a changed comment or docstring costs no stage. Modules that passed
the rules and have not changed are not asked again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import time
import tomllib
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgolf.cli import output
from pgolf.cli.build import gather_recipe
from pgolf.cli.memory import Kept, Memory, read_again
from pgolf.cli.standby import FORKS, Standby
from pgolf.collector import frozen_objects
from pgolf.errors import PgolfError, PgolfErrors

if TYPE_CHECKING:
    from pgolf.bundle.source import Module

POLL_SECONDS = 0.25
Stamp = Mapping[Path, tuple[int, int, str]]
ABSENT = (0, 0, "")


@dataclass(frozen=True)
class Order:
    """What to build, as the command line gives it; `folder` None takes the recipe's name."""

    recipe: Path | None
    plugins: tuple[str, ...]
    assignments: tuple[str, ...]
    folder: Path | None
    name: str
    pack: str
    keep_stages: bool
    smoke: bool
    plugin_dirs: tuple[Path, ...]


@dataclass
class Report:
    """What comes back from a build."""

    problem: str = ""
    folder: str = ""
    code_bytes: int = 0
    sha256: str = ""
    reused: bool = False
    watched: set[Path] = field(default_factory=set)
    kept: Kept | None = None


def watch(order: Order, as_json: bool, builds: int | None = None) -> None:
    """Build, then build again after every change until interrupted.

    Args:
        order: what to build.
        as_json: one JSON document on a line for each build.
        builds: end after this many, for tests.
    """
    import pgolf.manager
    import pgolf.submission  # noqa: F401 (loaded here once, for every process forked from this one)

    _load_torch()
    last, changed, number = Report(watched=_sources(order)), "first build", 0
    modules: dict[str, Module] = {}
    seen: Stamp = {}
    # What is frozen here is not looked through by the processes forked from this one, which would copy torch's memory.
    with frozen_objects(), Interrupt() as interrupt:
        while builds is None or number < builds:
            modules = read_again(modules, last.kept)
            process = _prepared(order, last.kept, modules)
            if number:
                changed = _wait(seen, interrupt)
            before = stamp(last.watched, {})
            begin = time.perf_counter()
            report = _result(process)
            seconds = time.perf_counter() - begin
            number += 1
            _tell(report, last, changed, seconds, as_json)
            report.watched |= last.watched if report.problem else set()
            seen = _seen(report, before)
            report.kept = report.kept or last.kept
            report.code_bytes = report.code_bytes or last.code_bytes
            last = report


def _seen(report: Report, before: Stamp) -> Stamp:
    """What the files to watch were for the build: what it read, or else what they were when it began, if that is known."""
    read = report.kept.sources.values() if report.kept is not None else ()
    exact = {path: (0, 0, digest) for path, digest, _ in read}
    return {**dict.fromkeys(report.watched, ABSENT), **stamp(report.watched, {}), **before, **exact}


def _load_torch() -> None:
    import torch  # noqa: F401


class Interrupt:
    """Remembers an interrupt: Python forgets one that comes while it clears an object away."""

    asked = False

    def __enter__(self) -> Interrupt:
        self.before = signal.signal(signal.SIGINT, self.handle)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self.before)

    def handle(self, *_: object) -> None:
        """What Python does of itself, and a note."""
        self.asked = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise KeyboardInterrupt if there was one."""
        if self.asked:
            raise KeyboardInterrupt


def _wait(seen: Stamp, interrupt: Interrupt) -> str:
    """Poll until the content of one of the files is another; returns their names."""
    paths = sorted(seen)
    while True:
        interrupt.check()
        now = stamp(paths, seen)
        names = [path.name for path in paths if now.get(path, ABSENT)[2] != seen.get(path, ABSENT)[2]]
        if names:
            return ", ".join(names[:3]) + (" and more" if len(names) > 3 else "")
        seen = now
        time.sleep(POLL_SECONDS)


def stamp(paths: Iterable[Path], before: Stamp) -> Stamp:
    """Time, size and hash of each file that exists; only files whose time or size changed are read."""
    found = {}
    for path in paths:
        try:
            state = path.stat()
            known = before.get(path)
            if known is not None and known[:2] == (state.st_mtime_ns, state.st_size):
                found[path] = known
            else:
                text = hashlib.sha256(path.read_bytes()).hexdigest()
                found[path] = (state.st_mtime_ns, state.st_size, text)
        except OSError:
            continue
    return found


def _prepared(order: Order, kept: Kept | None, modules: Mapping[str, Module]) -> Standby:
    """A process for one build, which has `modules` where it is a copy of this one."""
    return Standby(partial(_build_or_tell, order, kept, modules if FORKS else {}))


def _result(process: Standby) -> Report:
    try:
        report: Report = process.result()
    except ChildProcessError as error:
        report = Report(problem=f"error[PG005]: {error}")
    return report


def _build_or_tell(order: Order, kept: Kept | None, modules: Mapping[str, Module]) -> Report:
    try:
        return build_once(order, kept, modules)
    except Exception:  # a defect of pgolf keeps its traceback, and watching goes on
        return Report(problem=traceback.format_exc())


def build_once(order: Order, kept: Kept | None, modules: Mapping[str, Module]) -> Report:
    """Build and write; what users can mend is the report's `problem`."""
    from pgolf import submission
    from pgolf.bundle.pipeline import build
    from pgolf.manager import load_registry

    report, problems = Report(watched=_sources(order)), []
    try:
        registry = load_registry(order.plugin_dirs)
        problems = registry.problems
        recipe = gather_recipe(order.recipe, order.plugins, order.assignments, order.name)
        recipe = submission.smoke_recipe(recipe, registry) if order.smoke else recipe
        folder = order.folder or submission.default_folder(recipe.name)
        memory = Memory(build, kept, modules)
        # In this process alone, which ends with this build.
        setattr(submission, "build", memory.build)  # noqa: B010
        made = submission.make(recipe, registry, order.pack, order.smoke)
        lock = submission.write_submission(made, folder, order.keep_stages)
    except PgolfError as error:
        # A plugin that was not loaded is why its name is unknown.
        report.problem = "\n".join([str(item) for item in problems if item is not error] + [str(error)])
        report.watched |= {path for folder in order.plugin_dirs for path in folder.glob("*.py")}
        report.watched |= {path for item in [*problems, error] for path in _named_files(item)}
        return report
    report.folder, report.code_bytes, report.sha256 = str(folder), lock.code_bytes, lock.code_sha256
    report.reused, report.kept = memory.reused, memory.kept
    report.watched |= {path for path, _, _ in memory.sources.values()}
    report.watched |= {loaded.path for loaded in made.resolved.selection.plugins.values()}
    return report


def _named_files(error: PgolfError) -> set[Path]:
    """The files that an error names: who mends it changes one of them."""
    findings = error.findings if isinstance(error, PgolfErrors) else [error]
    paths = [Path(re.sub(r"(:\d+)+$", "", item.where)) for item in findings]
    return {path for path in paths if path.suffix == ".py" and path.is_file()}


def _sources(order: Order) -> set[Path]:
    """The recipe's files, following `extends` as far as they can be read."""
    found: set[Path] = set()
    path = order.recipe
    while path is not None:
        path = Path(os.path.realpath(path / "recipe.toml" if path.is_dir() else path))
        if path in found:
            break
        found.add(path)
        try:
            base = tomllib.loads(path.read_text(encoding="utf-8")).get("extends")
        except (OSError, ValueError):
            break
        path = path.parent / base if isinstance(base, str) else None
    return found


def _tell(report: Report, last: Report, changed: str, seconds: float, as_json: bool) -> None:
    """One line for each build; problems go to standard error."""
    if as_json:
        names = ("folder", "code_bytes", "sha256", "reused", "problem")
        record = {name: getattr(report, name) for name in names}
        click.echo(json.dumps({**record, "changed": changed, "seconds": round(seconds, 3)}))
        return
    if report.problem:
        output.note(report.problem.rstrip())
        click.echo(f"{time.strftime('%H:%M:%S')}  failed, {seconds:.2f} s, {changed}")
        return
    change = f" ({report.code_bytes - last.code_bytes:+,})" if last.code_bytes else ""
    same = ", stages reused" if report.reused else ""
    size = f"{output.count(report.code_bytes)} bytes{change}"
    click.echo(f"{time.strftime('%H:%M:%S')}  {size}, {seconds:.2f} s, {changed}{same}")
