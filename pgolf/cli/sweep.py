"""`pgolf sweep`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pgolf.cli import options, output

if TYPE_CHECKING:
    from pgolf.sweep.store import Row
    from pgolf.sweep.sweep import Outcome

MOST_ROWS = 20


class SweepGroup(click.Group):
    """`pgolf sweep FILE` runs one; `pgolf sweep report FOLDER` shows one."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """What is no subcommand is a file."""
        return super().resolve_command(ctx, args if args[0] in self.commands else ["run", *args])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options before the file are the run's, too."""
        if args and args[0] not in (*self.commands, "--help", "-h"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=SweepGroup)
def sweep() -> None:
    """Search over plugins and settings: many trainings, on one machine or a Ray cluster.

    `pgolf sweep FILE` runs what the file says and `pgolf sweep report FOLDER` shows what came of it; docs/sweeps.md
    describes the file. See `pgolf sweep run --help` for the options.

    \b
    Examples:
      pgolf sweep sweep.toml --data data
      pgolf sweep sweep.toml --data /shared/data -o /shared/lr --address 10.0.0.1:6379
      pgolf sweep report runs/sweep-lr
    """


@sweep.command("run")
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", "out", type=options.FOLDER, help="Results, builds, logs.  [default: runs/sweep-NAME]")
@click.option("--data", type=options.EXISTING_FOLDER, help="Folder of shards, or a data folder with datasets/*.")
@click.option("--tokenizer", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="SentencePiece model.")
@click.option("--address", default="", metavar="HOST:PORT", help="A Ray cluster's head.  [default: this machine]")
@click.option("--cpus", type=click.IntRange(1), help="CPUs of a trial.  [default: of the file, else by its processes]")
@click.option("--gpus", type=click.IntRange(0), help="GPUs of a trial.  [default: of the file, else by its processes]")
@click.option("--concurrent", type=click.IntRange(1), help="Most trials at a time.  [default: as many as fit]")
@options.plugin_dirs
@options.as_json
def run(
    path: Path,
    out: Path | None,
    data: Path | None,
    tokenizer: Path | None,
    address: str,
    cpus: int | None,
    gpus: int | None,
    concurrent: int | None,
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Run every trial that is not finished: grid, random or Optuna's points, stopped early at equal training time.

    Each trial is built, trained in processes of its own and scored, as `pgolf train` does it. Its row is in sweep.sqlite
    the moment it is known: the same command goes on where it was stopped, a trial whose machine dies is started again on
    another, and finished ones are never repeated. Failed trials are tried again. Needs the extra `sweep` (Ray tune, Optuna).

    Exit status: 0 every trial came to something, 1 some failed, 2 unusable input.

    \b
    Examples:
      pgolf sweep sweep.toml --data data
      pgolf sweep sweep.toml --concurrent 4 --gpus 1 --json
      pgolf sweep run sweep.toml --data /shared/data -o /shared/lr --address 10.0.0.1:6379
    """
    from pgolf.sweep.cluster import Place
    from pgolf.sweep.sweep import Wishes, run_sweep

    wishes = Wishes(path, out, data, tokenizer, plugin_dirs)
    found = run_sweep(wishes, Place(address, cpus, gpus, concurrent), lambda row, done: output.note(said(row, done)))
    page = found.folder / "sweep.html"
    write_report(found.folder, page)
    if as_json:
        output.print_json(record(found, page))
    else:
        show(found.everything)
        summary(found, page)
    if found.failed:
        raise SystemExit(1)


@sweep.command()
@click.argument("folder", type=options.EXISTING_FOLDER)
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="[default: FOLDER/sweep.html]")
@options.as_json
def report(folder: Path, page: Path | None, as_json: bool) -> None:
    """Trials of a sweep, also of one that is still going on: a table, and a page with the front of BPB and bytes and parallel
    coordinates.

    \b
    Examples:
      pgolf sweep report runs/sweep-lr
      pgolf sweep report runs/sweep-lr --html lr.html --json
    """
    rows = write_report(folder, page or folder / "sweep.html")
    if as_json:
        output.print_json(
            {"folder": str(folder), "page": str(page or folder / "sweep.html"), "trials": as_records(rows)}
        )
        return
    show(rows)
    output.note(f"wrote {page or folder / 'sweep.html'}")


def write_report(folder: Path, page: Path) -> list[Row]:
    """The page; returns the rows of the sweep's newest state."""
    from pgolf.errors import PgolfError
    from pgolf.sweep.store import Store
    from pgolf.sweep.sweep_page import page as make_page

    store = Store(folder, must_exist=True)
    about = store.noted("sweep")
    if about is None:
        raise PgolfError("PG001", "the sweep has not begun", str(folder), "run it: pgolf sweep FILE -o FOLDER")
    everything = store.rows()
    rows = [row for row in everything if row.fingerprint == about["fingerprint"]]
    output.write_page(page, make_page(rows, about, len(everything) - len(rows)).encode())
    return rows


def said(row: Row, done: int) -> str:
    """A line for a trial that has ended."""
    from pgolf.sweep.sweep_page import words

    score = "-" if row.val_bpb is None else f"{row.val_bpb:.4f} BPB"
    size = "" if row.bytes_total is None else f", {row.bytes_total:,} bytes"
    why = f" ({row.problem})" if row.problem else ""
    at = f" at {row.clock:g}" if row.state == "stopped" and row.clock else ""
    return f"{done}: {row.state}{at}, {score}{size}, {words(row)}{why}"


def show(rows: list[Row]) -> None:
    """The best trials."""
    from pgolf.sweep.sweep_page import words

    made = output.table(
        "trial", "BPB", "bytes", "steps", "train s", "state", right=("BPB", "bytes", "steps", "train s")
    )
    ordered = sorted(rows, key=lambda row: (row.state != "finished", row.val_bpb is None, row.val_bpb or 0.0))
    for row in ordered[:MOST_ROWS]:
        made.add_row(
            words(row),
            "-" if row.val_bpb is None else f"{row.val_bpb:.6f}",
            "-" if row.bytes_total is None else output.count(row.bytes_total),
            "-" if row.steps is None else str(row.steps),
            "-" if row.train_seconds is None else f"{row.train_seconds:.1f}",
            row.state,
        )
    output.print_table(made)
    if len(ordered) > MOST_ROWS:
        click.echo(f"and {len(ordered) - MOST_ROWS} more: pgolf sweep report FOLDER --json")


def summary(found: Outcome, page: Path) -> None:
    """What came of it, and what it cost."""
    from pgolf.sweep.cluster import overhead
    from pgolf.sweep.sweep_page import words

    best = found.best
    if best is not None:
        click.echo(f"best that fits: {best.val_bpb:.6f} BPB, {best.bytes_total:,} bytes, {words(best)}")
    first = "" if found.first_seconds is None else f", the first after {found.first_seconds:.1f} s"
    spent = overhead(found.rows)
    beside = f", {spent:.1f} s of a trial beside its program" if math.isfinite(spent) else ""
    click.echo(f"{len(found.kept)} trials were there, {len(found.rows)} ran in {found.seconds:.1f} s{first}{beside}")
    click.echo(f"report: {page}")


def as_records(rows: list[Row]) -> list[dict[str, Any]]:
    """For `--json`."""
    import json

    return [json.loads(row.dump()) for row in rows]


def record(found: Outcome, page: Path) -> dict[str, Any]:
    """For `--json`."""
    from pgolf.sweep.cluster import overhead

    best, spent = found.best, overhead(found.rows)
    return {
        "folder": str(found.folder),
        "page": str(page),
        "kept": len(found.kept),
        "ran": len(found.rows),
        "failed": len(found.failed),
        "best": None if best is None else as_records([best])[0],
        "seconds": round(found.seconds, 3),
        "seconds_to_first": None if found.first_seconds is None else round(found.first_seconds, 3),
        "overhead_seconds": round(spent, 3) if math.isfinite(spent) else None,
        "trials": as_records(found.everything),
    }
