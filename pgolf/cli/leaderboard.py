"""`pgolf leaderboard`."""

from __future__ import annotations

from pathlib import Path

import click

from pgolf.cli import options, output


@click.command()
@click.argument("folder", type=options.EXISTING_FOLDER, required=False)
@click.option("--track", type=click.Choice(["10min_16mb", "non_record"]), default="10min_16mb", show_default=True)
@click.option(
    "--against", metavar="PR", type=int, help="Compare with the row of this pull request.  [default: the row to beat]"
)
@click.option("--recheck", "again", is_flag=True, help="Check every record below FOLDER against its row.")
@options.as_json
def leaderboard(folder: Path | None, track: str, against: int | None, again: bool, as_json: bool) -> None:
    """Show the public leaderboard, or say whether the logs of FOLDER are a record.

    The answer has the margin needed, the margin had, and p of a one-sided Welch test with and without the margin.

    \b
    Examples:
      pgolf leaderboard
      pgolf leaderboard submissions/quick --against 1855
      pgolf leaderboard records --recheck
    """
    if again:
        _recheck(folder, as_json)
        return
    if folder is not None:
        _compare(folder, against, as_json)
        return
    from pgolf.leaderboard import load_board, rows_of

    as_of, rows = load_board()[0], rows_of(track)
    if as_json:
        output.print_json(
            {"as_of": as_of, "rows": [{**vars(row), "seed_val_bpb": list(row.seed_val_bpb)} for row in rows]}
        )
        return
    made = output.table("val_bpb", "std", "seeds", "pull", "date", "name", right=("val_bpb", "std", "seeds", "pull"))
    from statistics import stdev

    for row in rows:
        seeds = row.seed_val_bpb
        std = f"{stdev(seeds):.5f}" if len(seeds) > 1 else ""
        made.add_row(f"{row.val_bpb:.4f}", std, str(len(seeds) or ""), str(row.pr or ""), row.date, row.name)
    output.print_table(made)
    output.note(f"as of {as_of}")


def _recheck(folder: Path | None, as_json: bool) -> None:
    """A table of claim, logs and row; exit status 1 where any two differ."""
    from pgolf.errors import PgolfError
    from pgolf.verify.recheck import recheck, record_folders

    found = record_folders(folder) if folder is not None else []
    if not found:
        raise PgolfError(
            "PG004", "--recheck needs a folder with records, up to two folders below", str(folder or ""), ""
        )
    rows = [recheck(path) for path in found]
    if as_json:
        output.print_json([row.as_record() for row in rows])
    else:
        made = output.table("status", "row", "claim", "logs", "runs", "record", "says", right=("claim", "logs", "runs"))
        for row in rows:
            numbers = (f"{value:.5f}" if value == value else "" for value in (row.claimed, row.logged))
            made.add_row(row.status, row.row.label if row.row else "", *numbers, str(row.runs), row.folder, row.says)
        output.print_table(made)
    if any(row.status == "FAIL" for row in rows):
        raise SystemExit(1)


def _compare(folder: Path, against: int | None, as_json: bool) -> None:
    """One line, or the comparison as JSON."""
    from pgolf.errors import PgolfError
    from pgolf.leaderboard import find_row, row_to_beat
    from pgolf.manager import Registry
    from pgolf.statistics import compare
    from pgolf.verify.checks_statistics import scores
    from pgolf.verify.folder import View

    view = View(folder, Registry)
    values, nats = scores(view)
    if not values:
        raise PgolfError(
            "PG504", "no log has a final score", str(folder), "give a folder with the logs of finished runs"
        )
    row = find_row(against) if against is not None else row_to_beat(values, view.evidence.claimed.value)
    if row is None:
        raise PgolfError(
            "PG504", "no row of the leaderboard is left to beat", str(folder), "choose one with --against PR"
        )
    old = row.seed_val_bpb or (row.val_bpb,)
    found = compare(values, nats, f"row {row.label} ({row.val_bpb:.4f})", old, view.challenge)
    if as_json:
        output.print_json(found.as_record())
    else:
        click.echo(found.line)
