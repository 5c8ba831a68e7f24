"""Checkpoints of a live run: everything that the next steps depend on, on every rank, in a folder that is whole or absent.

    checkpoints/step_00000400/rank0.pt ...     model, components, receipts, phases, generators, clock
    checkpoints/.step_00000400.part            being written; a run that is killed leaves it, and the next one removes it

Training is paused on its clock while one is written. The two newest stay. A checkpoint is of one program, seed, number of ranks
and set of shards, and of no other. No built file has any of this: the built file of the same recipe is the same program.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pgolf.files import sync_folder, take_place
from pgolf.run.launch import EVERY, RESUME
from pgolf.run.resume import FOLDER, complete, newest
from pgolf.run.state import Capture, Restore
from pgolf.runtime.distributed import gather_over_ranks

if TYPE_CHECKING:
    from pgolf.runtime.optimize import Optimizers
    from pgolf.runtime.session import Session

FORMAT = 1
KEPT = 2


class Checkpoints:
    """`pgolf.contracts.optimizer.Checkpoints`.

    Args:
        identity: of the program: what it is, as far as any step depends on it.
    """

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.every = int(os.environ.get(EVERY, "0"))
        self.lost = os.environ.get(RESUME, "")

    def resume(self, session: Session, optimizers: Optimizers) -> tuple[int, float]:
        """Go on from the newest checkpoint, or find out now, and not when it is wanted, whether there can be one."""
        try:
            if not self.lost:
                capture(session, optimizers)
                return 0, 0.0
            folder = newest(Path(FOLDER))
            if folder is None:
                raise ValueError(f"there is no checkpoint in {FOLDER}")
            found = read(folder / f"rank{session.world.rank}.pt")
            if wrong := differences(found["of"], self.owner(session)):
                raise ValueError(f"the checkpoint is of another run: {wrong}")
            put_back(found, session, optimizers)
        except (OSError, ValueError) as error:
            session.log.log_error(str(error))  # type: ignore[attr-defined]
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)
        step, elapsed_ms = int(found["step"]), float(found["elapsed_ms"])
        session.log(f"resumed: step:{step} train_time:{elapsed_ms:.0f}ms PyTorch {torch.__version__} lost:{self.lost}")
        return step, elapsed_ms

    def save(self, session: Session, optimizers: Optimizers, step: int, elapsed_ms: float) -> None:
        """Write one every so many steps; one that cannot be written is an error of the log, and training goes on."""
        if not self.every or step % self.every or step == session.env.iterations:
            return
        session.program.clock.pause(session.ledger)
        begin = time.perf_counter()
        failure = ""
        name = f"step_{step:08d}"
        part = Path(FOLDER, f".{name}.part")
        try:
            part.mkdir(parents=True, exist_ok=True)
            found = {"step": step, "elapsed_ms": elapsed_ms, "of": self.owner(session)} | capture(session, optimizers)
            write(part / f"rank{session.world.rank}.pt", found)
        except (OSError, RuntimeError, ValueError) as error:
            failure = " ".join(str(error).split())[:200] or type(error).__name__
        failures = [text for text in gather_over_ranks(failure, session.world) if text]
        if session.world.rank == 0:
            publish(part, Path(FOLDER, name), bool(failures))
        if failures:
            session.fail(f"the checkpoint of step {step} was not written: {failures[0]}")
        else:
            session.log(f"checkpoint step:{step} seconds:{time.perf_counter() - begin:.2f} off the clock")
        session.program.clock.start()

    def owner(self, session: Session) -> dict[str, Any]:
        """What a checkpoint is of."""
        env, world = session.env, session.world
        shards = sorted((path.name, path.stat().st_size) for path in Path(env.data_path).glob("fineweb_*.bin"))
        return {
            "format": FORMAT,
            "program": self.identity,
            "seed": env.seed,
            "iterations": env.iterations,
            "budget": env.max_wallclock_seconds,
            "processes": world.world_size,
            "device": world.device.type,
            "shards": [f"{name}: {size}" for name, size in shards],
        }


def capture(session: Session, optimizers: Optimizers) -> dict[str, Any]:
    """Everything; ValueError for a component whose state cannot be kept."""
    model = session.model.state_dict(keep_vars=True)
    walk = Capture(model)
    program = {
        name: walk.node(getattr(session.program, name), name)
        for name in session.program._fields
        if name not in ("checkpoints", "plugins")
    }
    ours = {"ledger": walk.node(session.ledger, "ledger"), "optimizers": walk.node(optimizers, "optimizers")}
    return {
        "model": {name: tensor.detach().cpu().clone() for name, tensor in model.items()},
        "program": program,
        **ours,
        "storages": walk.storages,
        "session": {"phases": session.phases, "failed": session.failed, "queues": session.queues},
        "generators": generators(),
    }


def generators() -> dict[str, Any]:
    """States of the generators that belong to nobody."""
    walk = Capture({})
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
        "python": walk.node(random.getstate(), "random"),
        "numpy": walk.node(np.random.get_state(legacy=False), "numpy.random"),
        "storages": walk.storages,
    }


def put_back(found: Mapping[str, Any], session: Session, optimizers: Optimizers) -> None:
    """The reverse of `capture`, into what a new process has made."""
    model = session.model.state_dict(keep_vars=True)
    with torch.no_grad():
        for name, tensor in model.items():
            tensor.copy_(found["model"][name])
        back = Restore(model, found["storages"])
        for name, node in found["program"].items():
            back.value(node, getattr(session.program, name))
        back.value(found["ledger"], session.ledger)
        back.value(found["optimizers"], optimizers)
    for name, value in found["session"].items():
        setattr(session, name, value)
    states = found["generators"]
    torch.set_rng_state(states["torch"])
    if states["cuda"] is not None:
        torch.cuda.set_rng_state(states["cuda"])
    own = Restore({}, states["storages"])
    random.setstate(own.value(states["python"]))
    np.random.set_state(own.value(states["numpy"]))


def write(path: Path, found: Mapping[str, Any]) -> None:
    """Onto the disk, not only to the system."""
    with path.open("wb") as file:
        torch.save(found, file)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Any:
    """A rank's part; ValueError for a damaged one."""
    try:
        return torch.load(path, "cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{path} is damaged: {' '.join(str(error).split())[:120]}") from error


def publish(part: Path, folder: Path, failed: bool) -> None:
    """Give it its name, once it is on the disk as a whole; then older ones go. A failed one goes at once."""
    if failed:
        shutil.rmtree(part, ignore_errors=True)
        return
    sync_folder(part)
    take_place(part, folder)
    sync_folder(folder.parent)
    for old in complete(folder.parent)[:-KEPT]:
        # Under another name first: one that is half removed must not be taken for a whole one.
        gone = old.with_name(f".{old.name}.part")
        shutil.rmtree(gone, ignore_errors=True)
        old.replace(gone)
    for stale in folder.parent.glob(".step_*.part"):
        shutil.rmtree(stale, ignore_errors=True)


def differences(seen: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """What is not the same, or ""."""
    for key, value in wanted.items():
        if seen.get(key) != value:
            if key == "program":
                return "its plugins, settings or their sources are others"
            if key == "shards":
                return "its shards have other names or sizes"
            return f"{key} was {seen.get(key)!r}, is {value!r}"
    return ""
