"""`pgolf upload`."""

from __future__ import annotations

from pathlib import Path

import click

from pgolf.cli import options, output


@click.command()
@click.argument("folder", type=options.EXISTING_FOLDER)
@click.option("--repo", required=True, metavar="OWNER/NAME", help="Repository on the Hugging Face hub.")
@click.option("--path", default=None, metavar="FOLDER", help="Folder in the repository.  [default: the folder's name]")
@click.option("--create", is_flag=True, help="Make the repository, private, if it is not there.")
@click.option("--public", is_flag=True, help="With --create: a public one.")
@click.option("--type", "repo_type", type=click.Choice(["model", "dataset"]), default="model", show_default=True)
@click.option("--no-checkpoint", is_flag=True, help="Leave the uncompressed weights out.")
@click.option("--endpoint", metavar="URL", help="Another hub.  [default: HF_ENDPOINT, else huggingface.co]")
@options.as_json
def upload(
    folder: Path,
    repo: str,
    path: str | None,
    create: bool,
    public: bool,
    repo_type: str,
    no_checkpoint: bool,
    endpoint: str | None,
    as_json: bool,
) -> None:
    """Send a run to the Hugging Face hub: file, recipe, lock, logs, artifacts and weights, with a manifest of their hashes.

    The token is the client's: `hf auth login`, or HF_TOKEN. Small files are one commit, each large one its own, the manifest
    the last: a command that was stopped goes on, and sends nothing that the hub has. `pgolf fetch-run` brings it back.

    \b
    Examples:
      pgolf upload submissions/full --repo me/golf --create
      pgolf upload submissions/full --repo me/golf --path runs/full-1 --no-checkpoint
    """
    from pgolf.run.run_files import check_names
    from pgolf.run.upload import Upload
    from pgolf.run.upload import upload as send

    place = (folder.resolve().name if path is None else path).strip("/")
    if place:
        check_names([place], "--path")
    wishes = Upload(folder, repo, place, repo_type, create, not public, not no_checkpoint, endpoint)
    found = send(wishes, output.note)
    if as_json:
        output.print_json({**found.__dict__, "sent": list(found.sent), "kept": list(found.kept)})
        return
    click.echo(f"{len(found.sent)} files sent, {found.bytes_sent:,} bytes; {len(found.kept)} were there\n{found.url}")
