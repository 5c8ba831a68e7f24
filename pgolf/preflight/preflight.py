"""All of preflight in order, and its report."""

from __future__ import annotations

import math
import shlex
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgolf.challenge import Challenge, find_challenge
from pgolf.errors import PgolfError
from pgolf.lock import read_lock
from pgolf.preflight.data_checks import check_all
from pgolf.preflight.fewer import fewer_sequences
from pgolf.preflight.finding import PROBLEM, UNKNOWN, Finding, caught, good, problem, skipped, unknown
from pgolf.preflight.machine import (
    Gpu,
    check_clock,
    check_disk,
    check_gpus,
    check_packages,
    check_programs,
    check_ranks,
    read_gpus,
)
from pgolf.preflight.rehearsal import COMPILE, Plan, Rehearsal, rehearse
from pgolf.preflight.seconds import StageTime, evaluation_seconds, stage_times
from pgolf.run.data import DataPaths, check_data, find_data
from pgolf.run.launch import RunOptions, Target, command_line
from pgolf.run.target import open_target

if TYPE_CHECKING:
    from pgolf.forecast.forecast import Forecast
    from pgolf.manager import Registry
    from pgolf.runtime.program import Program

ENTRY_NAME = "pgolf_preflight_entry"
Note = Callable[[str], object]


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for."""

    path: Path
    data: Path | None = None
    tokenizer: Path | None = None
    nproc: int = 1
    smoke: bool = False
    train_seconds: float = 10.0
    quick: bool = False
    compiled: bool = False
    plugin_dirs: tuple[Path, ...] = ()


@dataclass
class Report:
    """What preflight found; `forecast` and `times` are empty where the program did not get so far."""

    folder: Path
    smoke: bool
    findings: list[Finding] = field(default_factory=list)
    gpus: list[Gpu] = field(default_factory=list)
    forecast: Forecast | None = None
    times: list[StageTime] = field(default_factory=list)
    launch: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ready(self) -> bool:
        """Is there no problem?"""
        return not any(one.state == PROBLEM for one in self.findings)

    @property
    def open_questions(self) -> list[Finding]:
        """What could not be found out."""
        return [one for one in self.findings if one.state == UNKNOWN]

    def as_record(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "folder": str(self.folder),
            "ready": self.ready,
            "size": "smoke" if self.smoke else "full",
            "findings": [one.as_record() for one in self.findings],
            "gpus": [gpu.__dict__ for gpu in self.gpus],
            "forecast": None if self.forecast is None else self.forecast.as_record(),
            "seconds_per_stage": [one.as_record() for one in self.times],
            "launch": self.launch,
            "seconds": round(self.seconds, 1),
        }


def preflight(wishes: Wishes, registry: Callable[[], Registry], note: Note) -> Report:
    """Check everything that can be checked before the run; what is wrong is in the report.

    Raises:
        PgolfError: when there is nothing to run, or the file is not the lock's.
    """
    begin = time.monotonic()
    note = since(begin, note)
    opened = partial(open_target, wishes.path, registry, wishes.plugin_dirs, False)
    target = opened(wishes.smoke)
    gpus = read_gpus()
    tried = target if gpus or target.smoke else opened(True)
    report = Report(target.root, tried.smoke, gpus=gpus)
    challenge = find_challenge(read_lock(target.root).recipe["challenge"], str(target.root))
    report.findings.append(good("file", f"{target.script.name} is the file of its lock"))
    program, size = load_build(target.root, registry())
    note("looking at the machine and the data")
    # Packages and ranks are tried in other processes, and the rehearsal is one, on the GPU where there is one.
    with ThreadPoolExecutor(2) as beside:
        machine = beside.submit(check_machine, target, gpus, wishes.nproc, program, size, challenge)
        bytes_found = beside.submit(caught, "bytes", lambda: forecast_bytes(target, registry(), report))
        paths, of_data = look_for_data(target, wishes, bool(gpus), registry, note)
        report.findings += machine.result() + of_data
        tried_paths = paths if tried is target else sample_for(tried, registry, report)
        if tried_paths is not None and report.ready:
            plan = make_plan(tried, tried_paths, wishes, registry, challenge)
            rehearsal = rehearse(plan, note)
            report.findings += rehearsal.findings
            report.times = stage_times(rehearsal, tried.settings, plan.program.reserve or 0.0)
            report.findings += judge_times(report.times, challenge, tried, bool(gpus), rehearsal)
            report.findings += judge_cache(bool(gpus)) if wishes.compiled else []
        else:
            report.findings.append(skipped("program", "not rehearsed: first mend what is above, or give --data"))
        note("forecast of bytes")
        report.findings += bytes_found.result()
    report.launch = launch_lines(wishes, target, paths)
    report.seconds = time.monotonic() - begin
    return report


def since(begin: float, note: Note) -> Note:
    """`note`, with the seconds since `begin` before each text."""
    return lambda text: note(f"{time.monotonic() - begin:5.1f} s  {text}")


def check_machine(
    target: Target, gpus: list[Gpu], nproc: int, program: Program, size: int, challenge: Challenge
) -> list[Finding]:
    """All that needs no data."""
    findings = check_packages(target.needs) + check_programs(target.needs, program)
    findings += check_gpus(gpus, nproc, target.needs, challenge.gpu)
    findings += caught("disk", lambda: check_disk(target.root, size)) + check_clock()
    return findings + check_ranks(nproc, len(gpus))


def load_build(folder: Path, registry: Registry) -> tuple[Program, int]:
    """The components of a build, and the numbers in its model."""
    from pgolf.resolve import load_entry, resolve

    module = load_entry(resolve(read_lock(folder).to_recipe(), registry).entry, ENTRY_NAME)
    del sys.modules[ENTRY_NAME]
    records = module.make_parameters()
    return module.make_program(), sum(math.prod(record.shape) * len(record.stored_names()) for record in records)


def look_for_data(
    target: Target, wishes: Wishes, has_gpu: bool, registry: Callable[[], Registry], note: Note
) -> tuple[DataPaths | None, list[Finding]]:
    """Where the run's data are, and what is found in them; None where there are none or they are not usable."""
    try:
        transform = transform_for(target, registry) if target.smoke and target.side_files else None
        paths = find_data(wishes.data, wishes.tokenizer, target.settings, target.smoke, target.side_files, transform)
        check_data(paths, side_files=target.side_files)
    except PgolfError as error:
        found = skipped("shards", f"{error.message}: not on this machine, which has no GPU")
        missing = has_gpu or wishes.data is not None or target.smoke
        return None, [problem("shards", f"{error.message} ({error.where})", error.hint) if missing else found]
    return paths, check_all(paths, target.settings, target.side_files, note)


def sample_for(target: Target, registry: Callable[[], Registry], report: Report) -> DataPaths | None:
    """The embedded sample, for a rehearsal at smoke size."""
    transform = transform_for(target, registry) if target.side_files else None
    try:
        return find_data(None, None, target.settings, True, target.side_files, transform)
    except PgolfError as error:
        report.findings.append(problem("sample", error.message, error.hint))
        return None


def transform_for(target: Target, registry: Callable[[], Registry]) -> Any:
    """How the sample's text is changed for a build with side files."""
    from pgolf.transforms import transform_of

    return transform_of(target.plugins, target.settings, registry())


def make_plan(
    target: Target, paths: DataPaths, wishes: Wishes, registry: Callable[[], Registry], challenge: Challenge
) -> Plan:
    """The rehearsal of one build."""
    program, _ = load_build(target.root, registry())
    return Plan(
        target,
        paths,
        wishes.nproc,
        program,
        wishes.train_seconds,
        not wishes.quick,
        challenge.claim_tolerance,
        wishes.compiled,
        partial(fewer_sequences, target, registry(), wishes.plugin_dirs),
    )


def judge_times(
    times: list[StageTime],
    challenge: Challenge,
    target: Target,
    has_gpu: bool,
    rehearsal: Rehearsal,
) -> list[Finding]:
    """Does the evaluation end within its limit? Only a machine like the contest's can say."""
    if rehearsal.record is None:
        return []
    seconds = evaluation_seconds(times)
    if target.smoke or not has_gpu:
        return [skipped("seconds", "those of a smoke run on this machine say nothing of the contest's")]
    if rehearsal.starved:
        return [unknown("seconds", "those of one sequence at a time say nothing of the run's", COMPILE)]
    if seconds is None:
        return [unknown("seconds", "how long the evaluation takes could not be measured")]
    text = f"evaluation about {seconds:.0f} s of {challenge.eval_seconds:.0f} s"
    if seconds > challenge.eval_seconds and not rehearsal.compiled:
        return [unknown("seconds", f"{text}, with nothing compiled", COMPILE)]
    if seconds > challenge.eval_seconds:
        return [problem("seconds", text, "choose a cheaper evaluation: fewer epochs, chunks or windows")]
    return [good("seconds", text)]


def judge_cache(has_gpu: bool) -> list[Finding]:
    """Is what the rehearsal has compiled kept where the run will look for it?"""
    from torch._inductor.runtime.cache_dir_utils import cache_dir

    folder = Path(cache_dir())
    if not has_gpu:
        return [skipped("cache", "without a GPU nothing is compiled")]
    if not any(folder.glob("fxgraph/*")):
        return [unknown("cache", f"{folder} holds nothing that was compiled: the run compiles again")]
    return [good("cache", f"what was compiled is kept in {folder}, and the run starts with it")]


def forecast_bytes(target: Target, registry: Registry, report: Report) -> list[Finding]:
    """File and artifact against the cap."""
    from pgolf.forecast.forecast import forecast

    code = target.script.stat().st_size
    found = forecast(read_lock(target.root).to_recipe(), registry, None, None, target.smoke, code)
    report.forecast = found
    text = f"file {found.code:,} + artifact about {found.size.packed:,} = {found.total:,} of {found.cap:,}"
    if not found.fits:
        return [problem("bytes", f"{text}: {found.total - found.cap:,} too many", "fewer bits, rows or layers")]
    return [good("bytes", text)]


def launch_lines(wishes: Wishes, target: Target, paths: DataPaths | None) -> list[str]:
    """The command that keeps logs and artifacts, and what it starts."""
    words = ["pgolf", "train", str(wishes.path), "--nproc", str(wishes.nproc)]
    words += ["--smoke"] if wishes.smoke else []
    words += ["--data", str(wishes.data)] if wishes.data else []
    words += ["--tokenizer", str(wishes.tokenizer)] if wishes.tokenizer else []
    for folder in wishes.plugin_dirs:
        words += ["--plugin-dir", str(folder)]
    if paths is None:
        return [shlex.join(words)]
    values = paths.environment() | {"SEED": str(target.settings["seed"])}
    plain = command_line(target.script.resolve(), RunOptions(paths, wishes.nproc))
    return [
        shlex.join(words),
        " ".join([*(f"{key}={shlex.quote(value)}" for key, value in values.items()), shlex.join(plain)]),
    ]
