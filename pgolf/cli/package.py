"""`pgolf package`."""

from __future__ import annotations

from pathlib import Path

import click

from pgolf.cli import options, output


@click.command()
@click.argument("folder", type=options.EXISTING_FOLDER)
@click.option("--author", default="", help="Your name.  [default: git's user.name]")
@click.option("--github-id", default="", help="Your GitHub name.  [default: git's github.user]")
@click.option("--name", default="", help="Name of the submission.  [default: the recipe's]")
@click.option("--claim", type=float, help="The val_bpb you mean to claim: refused when the logs have another mean.")
@click.option("--force", is_flag=True, help="Write README.md anew where there is one.")
@options.as_json
def package(
    folder: Path, author: str, github_id: str, name: str, claim: float | None, force: bool, as_json: bool
) -> None:
    """Write submission.json and a README.md skeleton from the logs.

    No number comes from anywhere but the logs: mean, sample deviation, sizes, times, and for the record track the limits
    and a test against the row of the leaderboard to beat.

    \b
    Example:
      pgolf package submissions/quick --author "Ada Lovelace" --github-id ada
    """
    from pgolf.run.package import JSON_NAME, People
    from pgolf.run.package import package as write

    document, notes = write(folder, People(author, github_id, name), force, claim)
    for line in notes:
        output.note(f"note: {line}")
    if as_json:
        output.print_json(document)
        return
    click.echo(f"{folder / JSON_NAME}: val_bpb {document['val_bpb']}, {output.count(document['bytes_total'])} bytes")
