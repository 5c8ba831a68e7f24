"""A run's lines as they come: a progress bar on a terminal, the lines themselves anywhere else."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

import click

STEP = re.compile(r"^step:(\d+)/(\d+) train_loss:(\S+) train_time:(\d+)ms")
WORTH_SHOWING = re.compile(
    r"^(?:step:\d+/\d+ val_loss|phase |stopping_early|stage:|diagnostic|final_|Total submission|error|warning)"
)
PASSING = re.compile(r"^(?:warmup_step:|eval: |calibration: )")


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


class BarDisplay(PlainDisplay):
    """A bar with step, loss, elapsed and remaining time; above it the lines that matter."""

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.progress: Any = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True, markup=False, highlight=False),
        )
        self.title = title
        self.task = self.progress.add_task(title, total=None, loss="-")

    def __enter__(self) -> BarDisplay:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def line(self, text: str) -> None:
        """Advance the bar, say beside it what goes on after the steps, or print the line above it."""
        match = STEP.match(text)
        if match:
            self.progress.update(self.task, completed=int(match[1]), total=int(match[2]), loss=match[3])
        elif PASSING.match(text):
            self.progress.update(self.task, description=f"{self.title}, {text}")
        elif WORTH_SHOWING.match(text):
            self.progress.update(self.task, description=self.title)
            self.progress.console.print(text, soft_wrap=True)


def open_display(title: str, terminal: bool) -> PlainDisplay:
    """The display for this output."""
    return BarDisplay(title) if terminal else PlainDisplay()
