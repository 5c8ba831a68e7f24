"""`pgolf logs`."""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pgolf.cli import options, output

if TYPE_CHECKING:
    from pgolf.logs import RunRecord


@click.command()
@click.argument("files", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True, metavar="FILE...")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Write loss curves: OUT.html or OUT.png.")
@click.option("-f", "--follow", is_flag=True, help="Show one log as it is written, until its run has ended.")
@options.as_json
def logs(files: tuple[Path, ...], plot: Path | None, follow: bool, as_json: bool) -> None:
    """Read training logs of any known script and show the runs side by side.

    A folder stands for the logs in it. PNG needs matplotlib (pip install 'pgolf[plot]'); HTML needs nothing.

    \b
    Examples:
      pgolf logs submissions/quick/logs/*.log --plot curves.html
      pgolf logs --follow submissions/quick/artifacts/seed1337/logs/train_seed1337.txt
    """
    if follow:
        _follow(files, plot is not None or as_json)
        return
    from pgolf.logs.table import full, summary

    records = _read(files)
    if plot is not None:
        _draw(records, plot)
    if as_json:
        output.print_json({name: full(record) for name, record in records.items()})
        return
    rows = {name: summary(record) for name, record in records.items()}
    numbers = ("seed", "steps", "train s", "eval s", "val_loss", "val_bpb", "bytes")
    made = output.table("log", *numbers, "line", "hardware", right=numbers)
    common = os.path.commonpath([str(Path(name).parent) for name in rows]) if len(rows) > 1 else ""
    for name, row in rows.items():
        shown = (row["seed"], row["steps"], row["train_seconds"], row["eval_seconds"], row["val_loss"], row["val_bpb"])
        made.add_row(
            os.path.relpath(name, common) if common else Path(name).name,
            *map(_text, shown),
            _text(row["total_bytes"]),
            row["label"],
            row["hardware"],
        )
    output.print_table(made)


def _follow(files: tuple[Path, ...], more: bool) -> None:
    """As `pgolf train` shows a run: a bar on a terminal, lines anywhere else; Ctrl-C ends it, and not the run."""
    import sys

    from pgolf.errors import PgolfError
    from pgolf.logs.follow import follow
    from pgolf.run.display import open_display

    if len(files) != 1 or files[0].is_dir() or more:
        raise PgolfError(
            "PG004", "--follow takes one file, and neither --plot nor --json", hint="pgolf logs --follow FILE"
        )
    with open_display(files[0].stem, sys.stderr.isatty()) as display:
        for line in follow(files[0]):
            display.line(line)


def _text(value: Any) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) and value > 99_999 else str(value)


def _read(files: tuple[Path, ...]) -> dict[str, RunRecord]:
    """Records by name; PG001 for a file that cannot be read or holds no run."""
    from pgolf.errors import PgolfError

    paths = chain.from_iterable(_inside(file) if file.is_dir() else [file] for file in files)
    records: dict[str, RunRecord] = {}
    for path in dict.fromkeys(paths):
        found = _read_file(path)
        for number, record in enumerate(found, 1):
            _keep(records, str(path) if len(found) == 1 else f"{path} (run {number})", record, path)
        if not found[-1].complete:
            output.warn(f"{path} is very long: the rest of it was not read")
    if not records:
        raise PgolfError("PG001", "there is no log of a run", ", ".join(map(str, files)), "give .log or .txt files")
    return records


def _read_file(path: Path) -> list[RunRecord]:
    """The runs of one log; PG001 where it cannot be read."""
    from pgolf.errors import PgolfError
    from pgolf.logs import LogUnreadable, read_runs

    try:
        return read_runs(path)
    except LogUnreadable as error:
        raise PgolfError("PG001", f"the log {error}", str(path)) from None
    except OSError as error:
        raise PgolfError("PG001", f"the log cannot be read: {error.strerror or error}", str(path)) from None


def _keep(records: dict[str, RunRecord], name: str, record: RunRecord, path: Path) -> None:
    """Add a run under its name, once, or say why it is left out."""
    same = next((known for known, other in records.items() if _is_copy(record, other)), None)
    if same is not None:
        output.note(f"{path} holds the run of {same}")
    elif record.is_run:
        records[name] = record
    else:
        unknown = ": its format is not known" if record.looks_like_a_log else ""
        output.warn(f"{path} is not the log of a run{unknown}")


def _is_copy(one: RunRecord, other: RunRecord) -> bool:
    return one.fingerprint is not None and one.fingerprint == other.fingerprint and one.seed == other.seed


def _inside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.name.endswith((".log", ".txt", ".log.gz", ".txt.gz")))


def _draw(records: dict[str, RunRecord], plot: Path) -> None:
    from pgolf.errors import PgolfError
    from pgolf.logs.plot import page, png
    from pgolf.logs.table import curves

    lines = curves(records)
    if not lines:
        raise PgolfError("PG004", "no log has losses to draw", str(plot))
    if plot.suffix.lower() not in (".html", ".png"):
        raise PgolfError(
            "PG004", f"a plot is .html or .png, not {plot.suffix or 'a name without an ending'}", str(plot)
        )
    data = page(lines).encode() if plot.suffix.lower() == ".html" else png(lines)
    output.write_page(plot, data)
    output.note(f"wrote {plot}")
