"""What commands print: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from pgolf.errors import PgolfError

# Wide enough for one line per row where the output is a file or a pipe.
PIPE_WIDTH = 160


def note(line: str) -> None:
    """Progress and remarks."""
    click.echo(line, err=True)


def warn(line: str) -> None:
    """Something to look at that does not stop the command."""
    click.echo(f"warning: {line}", err=True)


def print_json(document: Any) -> None:
    """The one document of `--json`."""
    click.echo(json.dumps(document, indent=2))


def write_page(path: Path, content: bytes) -> None:
    """A page or a picture for people, at once or not at all; PG001 also where its folder is missing, which is not made."""
    from pgolf.errors import PgolfError
    from pgolf.files import write_atomically

    if not path.parent.is_dir():
        raise PgolfError("PG001", f"there is no folder {path.parent}", str(path), "make it, or give another path")
    write_atomically(path, content)


def errors_document(errors: Sequence[PgolfError], status: int) -> dict[str, Any]:
    """What `--json` prints in place of a result, whatever the command; a failed run has it beside its result."""
    return {"errors": [one.as_record() for one in errors], "exit_status": status}


def table(*columns: str, right: Sequence[str] = (), title: str = "") -> Table:
    """An empty table; columns named in `right` are aligned to the right."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def open_console() -> Console:
    """Stdout: as wide as the terminal, or wide enough for a pipe."""
    from rich.console import Console

    console = Console(soft_wrap=False, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH, markup=False, highlight=False, emoji=False)
    return console


def print_table(made: Table) -> None:
    """A table on stdout."""
    open_console().print(made)


def count(number: int) -> str:
    """`16,000,000`."""
    return f"{number:,}"
