"""A run's numbers as they come, to TensorBoard and Weights & Biases, through their own libraries; the log stays what counts."""

from __future__ import annotations

import contextlib
import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from pgolf.errors import PgolfError

TRAINED = re.compile(r"^step:(\d+)/\d+ train_loss:(\S+) train_time:(\d+)ms")
VALIDATED = re.compile(r"^step:(\d+)/\d+ val_loss:(\S+) val_bpb:(\S+) train_time:(\d+)ms")
FINAL = re.compile(r"^(final_\S+_exact) val_loss:(\S+) val_bpb:(\S+)$")
TOTAL = re.compile(r"^Total submission size \S+: (\d+) bytes$")
Numbers = dict[str, float]


def numbers(text: str) -> tuple[int | None, Numbers]:
    """(step, name -> number) of a line of the log; None for what belongs to the run as a whole, nothing for other lines."""
    try:
        if match := TRAINED.match(text):
            return int(match[1]), {"train/loss": float(match[2]), "train/seconds": int(match[3]) / 1000}
        if match := VALIDATED.match(text):
            found = {"val/loss": float(match[2]), "val/bpb": float(match[3]), "train/seconds": int(match[4]) / 1000}
            return int(match[1]), found
        if match := FINAL.match(text):
            return None, {"final/loss": float(match[2]), "final/bpb": float(match[3])}
        if match := TOTAL.match(text):
            return None, {"final/bytes": float(match[1])}
    except ValueError:
        pass
    return None, {}


class Writer(Protocol):
    """Where numbers go."""

    def put(self, step: int, found: Numbers) -> None:
        """Numbers of a step."""

    def close(self, status: int) -> None:
        """The run has ended."""


class TensorBoard:
    """An event file in a folder."""

    def __init__(self, folder: Path) -> None:
        from tensorboard.summary import Writer as Events

        self.events = Events(str(folder))

    def put(self, step: int, found: Numbers) -> None:
        """Scalars, on the disk at once."""
        for name, value in found.items():
            self.events.add_scalar(name, value, step)
        self.events.flush()

    def close(self, status: int) -> None:
        """End the file."""
        self.events.close()


class WandB:
    """A run of a project; WANDB_MODE=offline keeps it in `folder` for `wandb sync`."""

    def __init__(self, project: str, name: str, folder: Path, settings: Mapping[str, Any]) -> None:
        import wandb

        folder.mkdir(parents=True, exist_ok=True)
        quiet = wandb.Settings(console="off", silent=True, x_disable_stats=True)
        try:
            self.run = wandb.init(project=project, name=name, dir=str(folder), config=dict(settings), settings=quiet)
        except (wandb.Error, OSError) as error:
            said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            hint = "log in with `wandb login`, or set WANDB_MODE=offline"
            raise PgolfError("PG004", f"Weights & Biases cannot be reached: {said}", "--wandb", hint) from None

    def put(self, step: int, found: Numbers) -> None:
        """A row of the history."""
        self.run.log(found, step=step)

    def close(self, status: int) -> None:
        """Finish the run there."""
        self.run.finish(exit_code=status)


class Tracker:
    """Gives a run's lines to its writers. One that fails is said once and left out: it may not end a training."""

    def __init__(self, writers: Sequence[Writer], note: Callable[[str], object]) -> None:
        self.writers, self.note, self.step, self.status = [*writers], note, 0, 1

    def __enter__(self) -> Tracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self.writers:
            with self.guarded(writer):
                writer.close(self.status)

    def line(self, text: str) -> None:
        """One line of the run."""
        step, found = numbers(text)
        self.step = self.step if step is None else step
        for writer in [*self.writers] if found else ():
            with self.guarded(writer):
                writer.put(self.step, found)

    @contextlib.contextmanager
    def guarded(self, writer: Writer) -> Iterator[None]:
        """Whatever a service's library raises."""
        try:
            yield
        except Exception as error:
            said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            self.note(f"warning: {type(writer).__name__} is left out from here on: {said}")
            self.writers = [one for one in self.writers if one is not writer]


def check_trackers(tensorboard: bool, wandb: str | None) -> None:
    """PG004 where a library is missing, before anything runs."""
    wanted = [("tensorboard", "--tensorboard")] * tensorboard + [("wandb", "--wandb")] * bool(wandb)
    for name, option in wanted:
        if importlib.util.find_spec(name) is None:
            text = f"{option} needs {name}, which is not installed"
            raise PgolfError("PG004", text, option, f"pip install 'pgolf[{name}]'")


def open_tracker(
    root: Path,
    seed: int,
    tensorboard: bool,
    wandb: str | None,
    settings: Mapping[str, Any],
    note: Callable[[str], object],
) -> Tracker:
    """Of one seed: an event file in artifacts/tensorboard/seedN, a run of the project, both or none."""
    writers: list[Writer] = []
    if tensorboard:
        writers.append(TensorBoard(root / "artifacts" / "tensorboard" / f"seed{seed}"))
    if wandb:
        name = f"{root.resolve().name} seed {seed}"
        writers.append(WandB(wandb, name, root / "artifacts", {**settings, "seed": seed}))
    return Tracker(writers, note)
