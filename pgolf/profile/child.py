"""Runs a recipe's live program for a few steps and measures: `python -m pgolf.profile.child JOB.json`, in the run's folder.

JOB holds "entry" (source of the entry module), "modules" (module -> plugin), "plugin_dirs", "steps", "phases" (names, or null
for all), "export" and "trace" (a path or ""). The last line of its output is the result as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from pgolf.manager import load_registry
from pgolf.profile.attribution import attribute
from pgolf.profile.ranges import Ranges
from pgolf.resolve import load_entry
from pgolf.runtime import train as engine
from pgolf.runtime.distributed import start_world, stop_world
from pgolf.runtime.environment import read_environment
from pgolf.runtime.finish import export_and_score
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.log import RunLog
from pgolf.runtime.optimize import Optimizers
from pgolf.runtime.progress import Scalars
from pgolf.runtime.session import Session

SCORED_BATCHES = 4
"""Scored batches of the profile: the rest of the validation stream takes the same time for each token."""
SCALARS = Scalars(1.0, 1.0, 0.9)


def open_program(job: dict[str, Any], ranges: Ranges) -> Session:
    """The session of the recipe's live program, whose components are in ranges."""
    load_registry([Path(folder) for folder in job["plugin_dirs"]])
    entry = load_entry(job["entry"])
    ranges.wrap_entry(entry, lambda module: job["modules"].get(module, "runtime"))
    settings, program = entry.SETTINGS, entry.make_program()
    env = read_environment(settings)
    world = start_world()
    torch.manual_seed(env.seed)
    log = RunLog(env.run_id, world.rank, False)
    return engine.open_session(
        settings, program, entry.make_parameters(), env, world, log, Ledger(), entry.prepare_components
    )


def timed(call: Callable[[], Any], device: torch.device) -> float:
    """Milliseconds on the wall, with what it left to the GPU."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    begin = time.perf_counter()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - begin)


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Steps as training runs them, the same steps under the profiler, a few scored batches, and the export."""
    ranges = Ranges()
    session = open_program(job, ranges)
    device, on_gpu = session.world.device, session.world.device.type == "cuda"
    after = session.program.phases_after_training
    names = tuple(spec.name for spec in session.program.phases if spec.name not in after)
    session.phases = names if job["phases"] is None else tuple(name for name in names if name in job["phases"])
    optimizers = Optimizers(session.program, session.model, session.parameters, session.world)

    def step() -> None:
        engine.run_step(session, optimizers, session.phases, SCALARS, session.ledger)

    result: dict[str, Any] = {"device": torch.cuda.get_device_name() if on_gpu else "cpu", "torch": torch.__version__}
    result |= {"phases": session.phases, "steps": job["steps"], "tokens": session.settings.train_batch_tokens}
    result["first_step_ms"] = timed(step, device)
    result["step_ms"] = min(timed(step, device) for _ in range(job["steps"]))
    session.forward = session.model  # from here on not compiled, so that there is something to name
    ranges.wrap_matrices(session.model)
    in_stages(session, optimizers, ranges)
    timed(step, device)
    session.tokens = session.tokens[: SCORED_BATCHES * session.rows * session.seq_len + 1]
    kinds = [torch.profiler.ProfilerActivity.CPU, *([torch.profiler.ProfilerActivity.CUDA] if on_gpu else [])]
    with torch.profiler.profile(activities=kinds) as profiler:
        result["profiled_step_ms"] = sum(timed(step, device) for _ in range(job["steps"])) / job["steps"]
        with ranges.on("score"):
            result["score_ms"] = timed(session.validate, device)
    if job["trace"]:
        profiler.export_chrome_trace(job["trace"])
    found = attribute(profiler.events(), on_gpu)
    times = {(stage, plugin): ms / (1 if stage == "score" else job["steps"]) for (stage, plugin), ms in found.items()}
    if on_gpu:
        result["peak_gib"] = torch.cuda.max_memory_allocated() / 2**30
    if job["export"]:
        ranges.seconds.clear()
        with ranges.on("export"):
            result["export_ms"] = timed(lambda: export_and_score(session, job["steps"]), device)
        times |= {key: 1000 * spent for key, spent in ranges.seconds.items() if key[0] == "export"}
    result["times"] = [[stage, plugin, ms] for (stage, plugin), ms in sorted(times.items())]
    stop_world(session.world)
    return result


def in_stages(session: Session, optimizers: Optimizers, ranges: Ranges) -> None:
    """The parts of a step that are calls of their own; what is left of it is the backward pass."""

    def staged(stage: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            if ranges.stage:
                return call(*args, **kwargs)
            with ranges.on(stage):
                return call(*args, **kwargs)

        return run

    for holder, name, stage in (
        (session, "next_batch", "data"),
        (session, "forward", "forward"),
        (optimizers, "step", "optimizer"),
    ):
        setattr(holder, name, staged(stage, getattr(holder, name)))


if __name__ == "__main__":
    print(json.dumps(measure(json.loads(Path(sys.argv[1]).read_text()))))
