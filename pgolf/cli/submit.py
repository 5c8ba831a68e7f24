"""`pgolf submit`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from pgolf.cli import options, output


@click.command()
@click.argument("folder", type=options.EXISTING_FOLDER)
@click.option("--clone", type=options.EXISTING_FOLDER, required=True, help="A clone of the contest's repository.")
@click.option("--name", default="", help="Name of the record, without its date.  [default: that of submission.json]")
@click.option(
    "--base", default="", metavar="COMMIT", help="Where the branch starts.  [default: the clone's present commit]"
)
@options.plugin_dirs
@options.as_json
def submit(folder: Path, clone: Path, name: str, base: str, plugin_dirs: tuple[Path, ...], as_json: bool) -> None:
    """Make the commit and the text of a pull request, and stop before pushing.

    FOLDER is verified first, and refused while verify does not pass. Its README, submission.json, train_gpt.py, logs, recipe
    and lock go into records/ of the clone under the dated name, on a branch of its own; the commit is checked to add these
    files and nothing else. The text with results, verify's summary and the commands to repeat is in
    FOLDER/artifacts/pull_request.md. What is left to do is printed.

    \b
    Example:
      pgolf submit submissions/full --clone ../parameter-golf
    """
    from pgolf.handing_in import hand_in
    from pgolf.manager import load_registry
    from pgolf.verify.bounded import verify_bounded
    from pgolf.verify.folder import RunPlan, View

    registry = partial(load_registry, plugin_dirs)
    output.note(f"verifying {folder}")
    plan = RunPlan(note=output.note)
    ((report, _),) = verify_bounded((folder,), lambda path: View(path, registry, plan, None), 1, False)
    done = hand_in(folder, clone, report, name, base)
    if as_json:
        output.print_json(done.as_record())
        return
    click.echo(
        f"{done.place}: {len(done.files)} files in {done.commit[:12]} on {done.branch}\n{done.body}\nleft to you:"
    )
    for line in done.push:
        click.echo(f"  {line}")
