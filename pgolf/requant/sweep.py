"""A sweep: its points one after the other, each kept in a file of its own as soon as it is finished.

OUT/points/KEY.json          what one point came to; KEY stands for weights, data, settings and sources
OUT/statistics/KEY.final_export.pt      input statistics, in the format that `train_gpt.py export` reads
OUT/artifacts/KEY/           with `keep`: the artifacts
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgolf.errors import PgolfError
from pgolf.files import write_atomically, write_errors
from pgolf.lock import file_hash
from pgolf.resolve import Resolved, resolve
from pgolf.submission import make

if TYPE_CHECKING:
    from pgolf.manager import Registry
    from pgolf.recipe import Recipe
    from pgolf.requant.checkpoint import Checkpoint
    from pgolf.requant.grid import Values
    from pgolf.run.data import DataPaths

Result = dict[str, Any]
FAILED = "failed"


@dataclass(frozen=True)
class Plan:
    """What a sweep is to do.

    Attributes:
        recipe: of which every point is a variant; its name is that of the curve.
        grid: settings of the points.
        out: folder of what is kept.
        calibrate: collect statistics anew, even where the run has saved its own.
        keep: keep artifacts.
        report: is told (number of points, how many are finished, point, stage).
    """

    recipe: Recipe
    grid: Sequence[Values]
    checkpoint: Checkpoint
    data: DataPaths
    out: Path
    smoke: bool = False
    calibrate: bool = False
    keep: bool = False
    report: Callable[[int, int, str, str], None] = lambda total, done, point, stage: None


@dataclass
class Sweep:
    """What came out.

    Attributes:
        statistics: "none", "of the run", or "collected".
        points: in the order of the grid.
    """

    statistics: str
    points: list[Result] = field(default_factory=list)

    @property
    def failed(self) -> list[Result]:
        """Points that could not be made."""
        return [point for point in self.points if point["problem"]]


@dataclass(frozen=True)
class Point:
    """One point before it is run."""

    values: Values
    recipe: Recipe
    resolved: Resolved
    statistics_key: str
    key: str

    @property
    def title(self) -> str:
        """`matrix_clip_sigmas=12`, or the recipe's name where nothing is swept."""
        return " ".join(f"{name}={value}" for name, value in self.values.items()) or self.recipe.name


def run_sweep(plan: Plan, registry: Registry) -> Sweep:
    """Run every point that is not finished. One that fails is said in its result, and the others go on.

    Raises:
        PgolfError: for settings that no build takes, and weights of another model, before anything is run.
    """
    from pgolf.requant.checkpoint import canonical_weights, other_layouts
    from pgolf.requant.engine import Statist, as_a_run, read_parameters

    points, given = prepare_points(plan, registry)
    sweep = Sweep(statistics_of(points, given))
    statist = Statist(plan.checkpoint, (plan.out / "statistics").resolve(), given)
    layouts = other_layouts(registry, points[0].resolved.selection.settings)

    def name_weights(parameters: Any) -> Any:
        return canonical_weights(plan.checkpoint.tensors, parameters, layouts, str(plan.checkpoint.path))

    name_weights(read_parameters(points[0].resolved.entry))
    with as_a_run(plan.smoke):
        for done, point in enumerate(points):
            kept = read_result(plan.out / "points" / f"{point.key}.json")
            if kept is None or (plan.keep and not Path(kept["artifact"]).is_file()):
                kept = run_one(plan, point, done, len(points), registry, statist, name_weights)
            else:
                plan.report(len(points), done, point.title, "kept")
            sweep.points.append(kept)
    return sweep


def prepare_points(plan: Plan, registry: Registry) -> tuple[list[Point], Any]:
    """The points, and the statistics that the run has saved, where they are what every point would collect."""
    from pgolf.requant.engine import statistics_key

    drafts = []
    for values in plan.grid:
        recipe = plan.recipe.override((), values)
        resolved = resolve(recipe, registry)
        drafts.append((values, recipe, resolved, statistics_key(resolved.entry, plan.checkpoint, plan.data)))
    run = plan.checkpoint.run
    same = len({key for _, _, _, key in drafts}) == 1
    given = run[0] if run is not None and run[0] and same and not plan.calibrate else None
    points = [Point(*draft, point_key(plan, draft[2], draft[3] if given is None else "of the run")) for draft in drafts]
    return points, given


def statistics_of(points: Sequence[Point], given: Any) -> str:
    """Where the statistics come from."""
    if not any("calibration_source=None" not in point.resolved.entry for point in points):
        return "none"
    return "collected" if given is None else "of the run"


def point_key(plan: Plan, resolved: Resolved, statistics: str) -> str:
    """Equal only for points that come to the same: weights, data, entry, sources of the engine and plugins, versions."""
    import torch

    import pgolf.runtime

    engine = sorted(Path(pgolf.runtime.__path__[0]).glob("*.py"))
    plugins = [loaded.path for loaded in resolved.selection.plugins.values()]
    sources = [file_hash(path) for path in (*engine, *plugins)]
    shards = sorted(plan.data.data_path.glob("fineweb_val_*.bin"))
    seen = [f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in shards]
    parts = [plan.checkpoint.sha256, str(plan.data.data_path), *seen, resolved.entry, statistics, torch.__version__]
    return hashlib.sha256("\n".join([*parts, str(plan.smoke), *sources]).encode()).hexdigest()[:20]


def read_result(path: Path) -> Result | None:
    """A finished point; None for one that has failed, was never run, or whose file is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("problem") == "" else None


def run_one(
    plan: Plan, point: Point, done: int, total: int, registry: Registry, statist: Any, name_weights: Any
) -> Result:
    """Build one point for its bytes, run it, and keep what came out."""
    from pgolf.requant.engine import open_session, run_point

    def report(stage: str) -> None:
        plan.report(total, done, point.title, stage)

    begin = time.perf_counter()
    result: Result = {"key": point.key, "series": plan.recipe.name, "settings": point.values, "problem": ""}
    result["weights"] = plan.checkpoint.sha256
    report("build")
    code_size = len(make(point.recipe, registry, smoke=plan.smoke).built.code)
    with write_errors(plan.out), tempfile.TemporaryDirectory(prefix="pgolf-requant-") as work:
        try:
            report("open")
            opened = open_session(point.resolved.entry, plan.data, plan.checkpoint, name_weights)
            result["float"] = float_score(plan, opened, point.statistics_key, report)
            statistics = statist.find(point.statistics_key, opened.session, report)
            result |= run_point(opened, statistics, code_size, Path(work), report)
        except PgolfError:
            raise
        except (OSError, ValueError, RuntimeError) as error:
            result["problem"] = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if plan.keep and not result["problem"]:
            artifact = (plan.out / "artifacts" / point.key / Path(result["artifact"]).name).resolve()
            artifact.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(result["artifact"], artifact)
            result["artifact"] = str(artifact)
        elif not result["problem"]:
            result["artifact"] = ""
    result["seconds"] = {**result.get("seconds", {}), "all": round(time.perf_counter() - begin, 3)}
    write_atomically(plan.out / "points" / f"{point.key}.json", (json.dumps(result, indent=2) + "\n").encode())
    report(f"failed: {result['problem']}" if result["problem"] else f"val_bpb {result['val_bpb']:.8f}")
    return result


def float_score(plan: Plan, opened: Any, key: str, report: Callable[[str], None]) -> dict[str, float]:
    """Loss and BPB of the weights themselves in windows side by side, scored once for each kind of model."""
    path = plan.out / "statistics" / f"{key}.float.json"
    kept = read_result(path)
    if kept is None:
        report("score weights")
        score = opened.session.validate()
        kept = {"problem": "", "val_loss": score.val_loss, "val_bpb": score.val_bpb}
        write_atomically(path, (json.dumps(kept) + "\n").encode())
    return {"val_loss": kept["val_loss"], "val_bpb": kept["val_bpb"]}
