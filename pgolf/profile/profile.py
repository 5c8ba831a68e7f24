"""The profile of a recipe: its live program in a child process, and the bytes of its build."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pgolf.errors import PgolfError
from pgolf.manager import Registry
from pgolf.recipe import Recipe
from pgolf.run.data import DataPaths
from pgolf.run.launch import smoke_environment
from pgolf.submission import Made, make

STAGES = ("data", "forward", "backward", "optimizer", "score", "export")
ENGINE = "engine"
MATRIX = "matrix "


@dataclass(frozen=True)
class Order:
    """What is to be measured.

    Attributes:
        steps: profiled steps.
        phases: names of the phases that are on, None for all.
        export: whether the artifact is made and scored as well.
        trace: where the Chrome trace goes, or None.
    """

    steps: int = 2
    phases: tuple[str, ...] | None = None
    export: bool = True
    trace: Path | None = None


@dataclass(frozen=True)
class Row:
    """One plugin, one role of the engine's matrices ("matrix attn.c_q"), or the rest of the engine.

    Attributes:
        milliseconds: by stage: of one step, of the scored batches, of the whole export.
        code_bytes: its share of the packed file; the engine's for "engine".
        parameters: elements of the tensors that it declares.
    """

    name: str
    milliseconds: dict[str, float]
    code_bytes: int = 0
    parameters: int = 0

    @property
    def step(self) -> float:
        """Milliseconds of one step of training."""
        return sum(self.milliseconds.get(stage, 0.0) for stage in STAGES[:4])


@dataclass(frozen=True)
class Profile:
    """Rows by their part of a step, the largest first, and figures of the whole run (see `pgolf.profile.child`)."""

    name: str
    rows: tuple[Row, ...]
    run: dict[str, Any]

    def as_record(self) -> dict[str, Any]:
        """For `--json`."""
        return {"name": self.name, **self.run, "rows": [asdict(row) for row in self.rows]}

    def total(self, stage: str) -> float:
        """Milliseconds of a stage over all rows."""
        return sum(row.milliseconds.get(stage, 0.0) for row in self.rows)


def profile(
    recipe: Recipe, registry: Registry, data: DataPaths, order: Order, plugin_dirs: Sequence[Path], smoke: bool
) -> Profile:
    """Build the recipe and measure its live program.

    Raises:
        PgolfError: from the build; PG004 for an unknown phase; PG005 where the program fails, with its own last line.
    """
    made = make(recipe, registry, smoke=smoke)
    known = sorted({name for variant in made.resolved.plan.variants for name in variant})
    unknown = [name for name in order.phases or () if name not in known]
    if unknown:
        raise PgolfError(
            "PG004", f"there is no phase {unknown[0]}", "--phases", f"the recipe has {', '.join(known) or 'none'}"
        )
    run = run_child(made, data, order, plugin_dirs)
    return Profile(recipe.name, gather(made, run.pop("times")), run)


def run_child(made: Made, data: DataPaths, order: Order, plugin_dirs: Sequence[Path]) -> dict[str, Any]:
    """What `pgolf.profile.child` prints."""
    modules = {loaded.module.__name__: name for name, loaded in made.resolved.selection.plugins.items()}
    job = {
        "entry": made.resolved.entry,
        "modules": modules,
        "plugin_dirs": [str(folder.resolve()) for folder in plugin_dirs],
        "steps": order.steps,
        "phases": order.phases,
        "export": order.export,
        "trace": str(order.trace.resolve()) if order.trace else "",
    }
    absolute = {key: str(Path(value).resolve()) for key, value in data.environment().items()}
    if made.lock.smoke:
        absolute |= smoke_environment()
    root = str(Path(__file__).parents[2])
    paths = os.pathsep.join(path for path in (root, os.environ.get("PYTHONPATH", "")) if path)
    with tempfile.TemporaryDirectory(prefix="pgolf_profile_") as place:
        (Path(place) / "job.json").write_text(json.dumps(job))
        done = subprocess.run(
            [sys.executable, "-m", "pgolf.profile.child", "job.json"],
            cwd=place,
            env={**os.environ, **absolute, "RUN_ID": "profile", "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        said = [line for line in lines if line.startswith("error")] or lines[-1:] or ["nothing was printed"]
        raise PgolfError("PG005", f"the profiled program ended with status {done.returncode}: {said[-1].strip()}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def gather(made: Made, times: list[tuple[str, str, float]]) -> tuple[Row, ...]:
    """A row for each plugin, for each role of matrices, and for the engine."""
    milliseconds: dict[str, dict[str, float]] = defaultdict(dict)
    for stage, plugin, spent in times:
        row, column = milliseconds[plugin or ENGINE], stage if stage in STAGES else "backward"
        row[column] = row.get(column, 0.0) + spent
    code = made.plugin_bytes()
    code[ENGINE] = code.pop("runtime")
    elements: dict[str, int] = defaultdict(int)
    for plugin, param in made.resolved.params:
        elements[plugin] += count_elements(param)
    names = dict.fromkeys([*code, *milliseconds])
    rows = [Row(name, milliseconds[name], code.get(name, 0), elements[name]) for name in names]
    return tuple(sorted(rows, key=lambda row: (-row.step, -sum(row.milliseconds.values()), row.name)))


def count_elements(param: Any) -> int:
    """Elements of all tensors of a record."""
    size = 1
    for length in param.shape:
        size *= length
    return size * len(param.stored_names())
