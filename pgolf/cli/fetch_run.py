"""`pgolf fetch-run`."""

from __future__ import annotations

from pathlib import Path

import click

from pgolf.cli import options, output


@click.command("fetch-run")
@click.argument("source", metavar="OWNER/NAME[/FOLDER]")
@click.option("-o", "--output", "out", type=options.FOLDER, help="[default: runs/ and the last part of the source]")
@click.option("--revision", default="main", show_default=True, help="Branch or commit.")
@click.option("--type", "repo_type", type=click.Choice(["model", "dataset"]), default="model", show_default=True)
@click.option("--endpoint", metavar="URL", help="Another hub.  [default: HF_ENDPOINT, else huggingface.co]")
@options.as_json
def fetch_run(
    source: str, out: Path | None, revision: str, repo_type: str, endpoint: str | None, as_json: bool
) -> None:
    """Bring back a run that `pgolf upload` has sent, and verify the hash of every file.

    The folder is there as a whole or not at all: downloads wait beside it in .NAME.fetch, where the same command goes on. A
    manifest with names that would leave the folder is refused, and so is a folder that holds something else. What was brought
    back is other people's code: `pgolf verify` reads it without running it.

    \b
    Examples:
      pgolf fetch-run me/golf/full
      pgolf fetch-run me/golf/runs/full-1 -o runs/full --revision 0123abc
    """
    from pgolf.run.fetch_run import Wanted, split_source
    from pgolf.run.fetch_run import fetch_run as fetch

    repository, path = split_source(source)
    folder = out or Path("runs") / (path or repository).split("/")[-1]
    files = fetch(Wanted(repository, path, folder, repo_type, revision, endpoint), output.note)
    size = sum(file.bytes for file in files.values())
    if as_json:
        listed = {name: file._asdict() for name, file in files.items()}
        output.print_json({"folder": str(folder), "bytes": size, "files": listed})
        return
    click.echo(f"{len(files)} files, {size:,} bytes: {folder}")
