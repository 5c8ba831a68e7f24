"""Progress on stderr: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LINE_SECONDS = 10.0


class Meter:
    """`with Meter("tokenize", total) as meter: meter.update(done, "12 documents")`; `note` prints a line at once."""

    def __init__(self, label: str, total: int):
        self.label, self.total = label, max(total, 1)
        self.console = Console(file=sys.stderr)
        self.bar: Progress | None = None
        self.printed = time.monotonic()

    def __enter__(self) -> Meter:
        if self.console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f}%"))
            times = (TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[text]}"))
            self.bar = Progress(*columns, *times, console=self.console, transient=True)
            self.task = self.bar.add_task(self.label, total=self.total, text="")
            self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def update(self, done: int, text: str) -> None:
        """`done` out of `total`, and a remark."""
        if self.bar is not None:
            self.bar.update(self.task, completed=done, text=text)
        elif time.monotonic() - self.printed >= LINE_SECONDS:
            self.printed = time.monotonic()
            self.note(f"{100 * done // self.total} %, {text}")

    def note(self, text: str) -> None:
        """One line that stays."""
        line = f"{self.label}: {text}"
        if self.bar is not None:
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr, flush=True)
