"""A run's lines as they come: a progress bar on a terminal, the lines themselves anywhere else."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

import click

STEP = re.compile(r"^step:(\d+)/(\d+) train_loss:(\S+) train_time:(\d+)ms")
BATCH = re.compile(r"^train_batch_tokens:(\d+) ")
BUDGET = re.compile(r"max_wallclock_seconds:([\d.]+)")
RESERVE = re.compile(r"^reserve_seconds:([\d.]+)")
PHASE = re.compile(r"^phase (\S+) on ")
WORTH_SHOWING = re.compile(
    r"^(?:step:\d+/\d+ val_loss|phase |stopping_early|stage:|diagnostic|final_|Total submission|error|warning)"
)
PASSING = re.compile(r"^(?:warmup_step:|eval: |calibration: )")


def make_bar(*columns: Any) -> Any:
    """A bar on stderr with its description and these columns; without any it counts, and says elapsed and remaining time."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = columns or (MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True, markup=False, highlight=False)
    return Progress(TextColumn("{task.description}", markup=False), BarColumn(), *columns, console=console)


class PlainDisplay:
    """Passes every line through to stderr."""

    def __enter__(self) -> PlainDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def line(self, text: str) -> None:
        """One line of the child."""
        click.echo(text, err=True)


class Pace:
    """What the lines so far say of speed and time left.

    The budget ends training when it comes before the steps do; what is left is the less of both.
    """

    def __init__(self) -> None:
        self.batch_tokens = 0
        self.budget_ms = 0.0
        self.phases: list[str] = []

    def line(self, text: str) -> None:
        """Header lines and phases."""
        if match := BATCH.match(text):
            self.batch_tokens = int(match[1])
            found = BUDGET.search(text)
            self.budget_ms = 1000 * float(found[1]) if found else 0.0
        elif match := RESERVE.match(text):
            self.budget_ms -= 1000 * float(match[1])
        elif match := PHASE.match(text):
            self.phases.append(match[1])

    def at(self, step: int, of: int, train_ms: float) -> tuple[float, str]:
        """(share of training that is done, a few words) at a logged step."""
        share = step / max(of, 1)
        if self.budget_ms > 0:
            share = max(share, min(train_ms / self.budget_ms, 1.0))
        left = train_ms * (1 - share) / share / 1000 if share > 0 else 0.0
        words = [f"{left:.0f} s to train"]
        if self.batch_tokens and train_ms > 0:
            words.insert(0, f"{self.batch_tokens * step / train_ms * 1000:,.0f} tokens/s")
        return share, ", ".join([*words, *self.phases])


class BarDisplay(PlainDisplay):
    """A bar with step, loss, speed, phases, elapsed and remaining time; above it the lines that matter."""

    def __init__(self, title: str) -> None:
        from rich.progress import TextColumn, TimeElapsedColumn

        self.pace = Pace()
        shown = "{task.fields[step]} loss {task.fields[loss]} {task.fields[pace]}"
        self.progress: Any = make_bar(TextColumn(shown, markup=False), TimeElapsedColumn())
        self.title = title
        self.task = self.progress.add_task(title, total=None, loss="-", step="-", pace="")

    def __enter__(self) -> BarDisplay:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def line(self, text: str) -> None:
        """Advance the bar, say beside it what goes on after the steps, or print the line above it."""
        self.pace.line(text)
        match = STEP.match(text)
        if match:
            share, words = self.pace.at(int(match[1]), int(match[2]), float(match[4]))
            shown = {"step": f"{match[1]}/{match[2]}", "loss": match[3], "pace": words}
            self.progress.update(self.task, completed=share, total=1.0, **shown)
        elif PASSING.match(text):
            self.progress.update(self.task, description=f"{self.title}, {text}")
        elif WORTH_SHOWING.match(text):
            self.progress.update(self.task, description=self.title)
            self.progress.console.print(text, soft_wrap=True)


def open_display(title: str, terminal: bool) -> PlainDisplay:
    """The display for this output."""
    return BarDisplay(title) if terminal else PlainDisplay()
