"""Climbs the ladder: builds twice in different surroundings, runs every stage in a process of its own, and compares."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pgolf.bundle.pipeline import DUMPS
from pgolf.errors import PgolfError
from pgolf.lock import Lock
from pgolf.prove.children import Job, cores, run_all
from pgolf.prove.ladder import CHECKS, RUNGS, Difference, Record, check_syntax, compare
from pgolf.prove.sizes import trimmed
from pgolf.run.data import DataPaths
from pgolf.unpack import unpack

RECORDER = Path(__file__).with_name("recorder.py")
ALL_RUNGS = frozenset(range(len(RUNGS)))
RUNNING = frozenset(CHECKS)
"""Rungs that need the program to run."""
LIVE = DUMPS[0]
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "SYSTEMROOT", "HOME")
# Two machines could hardly differ more in what a build must not depend on.
SURROUNDINGS = (
    {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "UTC"},
    {"PYTHONHASHSEED": "4321", "LC_ALL": "C.UTF-8", "TZ": "Pacific/Kiritimati", "PYTHONUTF8": "1"},
)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to prove and how.

    Attributes:
        steps: training steps of each run.
        rungs: numbers of the rungs to climb.
        data: shards and tokenizer; may be None where no rung runs the program.
        plugin_dirs: folders with plugins.
        say: takes progress lines.
        at_once: processes that run at the same time.
    """

    steps: int
    rungs: frozenset[int]
    data: DataPaths | None
    plugin_dirs: tuple[Path, ...] = ()
    say: Say = lambda line: None
    at_once: int = field(default_factory=cores)


@dataclass
class Proof:
    """What was found: `differences` is empty when everything that was compared is equal."""

    rungs: tuple[int, ...]
    stages: tuple[str, ...]
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def first(self) -> Difference | None:
        """The earliest stage that differs, on the lowest rung that shows it."""
        order = {stage: number for number, stage in enumerate(self.stages)}
        key = [(order.get(item.stage, len(order)), item.rung, number) for number, item in enumerate(self.differences)]
        return self.differences[min(key)[2]] if key else None

    def as_record(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "equal": not self.differences,
            "rungs": [{"rung": rung, "name": RUNGS[rung], "equal": self.holds(rung)} for rung in self.rungs],
            "stages": list(self.stages),
            "first_difference": self.first.as_record() if self.first else None,
            "differences": [item.as_record() for item in self.differences],
            "notes": self.notes,
            "facts": self.facts,
        }

    def holds(self, rung: int) -> bool:
        """Did no stage differ on this rung?"""
        return all(item.rung != rung for item in self.differences)


def climb(programs: Mapping[str, bytes], plan: Plan) -> Proof:
    """Rungs 1 to 7 for stages of one build; the first program is what all others are compared with.

    Args:
        programs: file name -> content, as `Built.dumps` has them.

    Raises:
        PgolfError: PG005 when the first program itself does not run.
    """
    proof = Proof(tuple(sorted(plan.rungs)), tuple(programs))
    if 1 in plan.rungs:
        found = [check_syntax(stage, content) for stage, content in programs.items()]
        proof.differences += [item for item in found if item is not None]
        proof.differences += _decoded(programs)
    if plan.rungs & RUNNING:
        _run_all(programs, plan, proof)
    return proof


def _decoded(programs: Mapping[str, bytes]) -> list[Difference]:
    """The packed file holds the minified source."""
    minified, packed = programs.get(DUMPS[4]), programs.get(DUMPS[5])
    if minified is None or packed is None:
        return []
    try:
        same = unpack(packed) == minified.decode()
    except PgolfError as error:
        return [Difference(DUMPS[5], 1, error.message)]
    return [] if same else [Difference(DUMPS[5], 1, "it does not decode to the minified source")]


def _run_all(programs: Mapping[str, bytes], plan: Plan, proof: Proof) -> None:
    with tempfile.TemporaryDirectory(prefix="pgolf-prove-") as name:
        root = Path(name)
        if plan.data is not None:
            plan = replace(plan, data=trimmed(plan.data, root / "data"))
        plan.say(f"running {len(programs)} stages, {plan.at_once} at once")
        live: Record | None = None
        for stage, record in run_stages(root, programs, plan):
            if live is None:
                live = record
                _check_live(stage, live, proof)
                plan.say(f"{stage}: {len(live['steps'])} steps")
            else:
                found = compare(stage, live, record, plan.rungs)
                proof.differences += found
                plan.say(f"{stage}: {found[0] if found else 'equal'}")


def _check_live(stage: str, live: Record, proof: Proof) -> None:
    """A run that saw nothing proves nothing.

    Raises:
        PgolfError: PG005.
    """
    if live["problem"] or not live["steps"]:
        text = live["problem"] or f"no step was seen; it ended with status {live['status']}"
        raise PgolfError("PG005", f"the live entry does not run: {text}", stage, "pgolf train --live shows its output")
    graphs = list(live["graphs"].values())
    untraced = sorted({lines[0] for lines in graphs if len(lines) == 1})
    proof.notes += [f"a training graph was {line}; rung 4 says nothing about it" for line in untraced]
    if live["status"]:
        proof.notes.append(f"every run ends with status {live['status']}: a plugin does nothing in so few steps")
    proof.facts = {
        "tensors": len(live["state"]),
        "graphs": len(graphs),
        "steps": len(live["steps"]),
        "backward_passes": sum(len(step["losses"]) for step in live["steps"]),
        "artifact": live["artifact"],
        "artifact_bytes": live["artifact_bytes"],
        "scores": live["scores"],
    }


def run_stages(root: Path, programs: Mapping[str, bytes], plan: Plan, live: str = LIVE) -> Iterator[tuple[str, Record]]:
    """Recorded runs, each in a process and an empty folder of its own; all but the live entry are kept from pgolf.

    Raises:
        PgolfError: PG005 when a process leaves no record.
    """
    jobs = [_job(root, stage, content, plan, stage != live) for stage, content in programs.items()]
    for job, _ in run_all(jobs, plan.at_once):
        out = job.log.with_suffix(".json")
        if not out.exists():
            last = next((line for line in reversed(job.lines()) if line.strip()), "no output")
            raise PgolfError("PG005", f"the run of {job.name} left no record: {last}", job.name)
        yield job.name, json.loads(out.read_text())


def _job(root: Path, stage: str, content: bytes, plan: Plan, isolated: bool) -> Job:
    work = root / stage.removesuffix(".py")
    work.mkdir()
    program, out = root / f"{work.name}_train_gpt.py", root / f"{work.name}.json"
    program.write_bytes(content)
    python_path = [str(path.resolve()) for path in plan.plugin_dirs] + [os.environ.get("PYTHONPATH", "")]
    env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    env |= plan.data.environment() if plan.data else {}
    env |= {"ITERATIONS": str(plan.steps), "RUN_ID": "run", "MAX_WALLCLOCK_SECONDS": "0", "VAL_LOSS_EVERY": "0"}
    env |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONDONTWRITEBYTECODE": "1"}
    env["PYTHONPATH"] = os.pathsep.join(part for part in python_path if part)
    # -P: neither the recorder's folder nor the program's is searched for modules.
    command = (sys.executable, "-P", str(RECORDER), str(program), str(out), str(max(plan.rungs)), str(int(isolated)))
    return Job(stage, command, work, env, out.with_suffix(".log"))


def build_twice(lock: Lock, plan: Plan, wanted: str) -> list[Difference]:
    """Rung 0: the same bytes from two processes with different hash seeds, folders, locales and time zones.

    Args:
        lock: what to build.
        wanted: SHA-256 that both must have.
    """
    plan.say("building in two surroundings")
    found = []
    with tempfile.TemporaryDirectory(prefix="pgolf-prove-") as name:
        jobs = [_build_job(lock, plan, Path(name), number) for number in range(len(SURROUNDINGS))]
        for job, status in run_all(jobs, plan.at_once):
            lines = job.lines() or [f"status {status}"]
            seen = lines[-1] if status == 0 else f"no build: {lines[-1]}"
            if seen != wanted:
                text = f"{job.name} gives {seen}, wanted {wanted}"
                found.append(Difference(DUMPS[5], 0, text))
    return found


def _build_job(lock: Lock, plan: Plan, root: Path, number: int) -> Job:
    surroundings = SURROUNDINGS[number]
    work = root / f"folder {number}"
    work.mkdir()
    (work / "wanted.lock").write_text(lock.dump())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "PYTHONHASH", "TZ"))}
    folders = (str(path.resolve()) for path in plan.plugin_dirs)
    command = (sys.executable, "-m", "pgolf.prove.rebuild", "wanted.lock", *folders)
    shown = " ".join(f"{key}={value}" for key, value in surroundings.items())
    return Job(f"a build with {shown}", command, work, kept | surroundings, root / f"{number}.log")
