"""`pgolf report`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from pgolf.cli import options, output


@click.command()
@click.argument("folders", type=options.EXISTING_FOLDER, nargs=-1, required=True, metavar="FOLDER...")
@click.option(
    "-o",
    "--output",
    "page_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default="report.html",
    show_default=True,
    help="The page.",
)
@click.option("--no-build", is_flag=True, help="Leave out what needs a build: bytes by plugin and tensor, the plan.")
@options.plugin_dirs
@options.as_json
def report(
    folders: tuple[Path, ...], page_file: Path, no_build: bool, plugin_dirs: tuple[Path, ...], as_json: bool
) -> None:
    """Write one standalone page about submissions, for people: nothing to install, nothing from the network.

    For each folder: the verdict of verify, results by seed, curves, bytes of the code by plugin and of the artifact by
    tensor, the plan of the model, and ablations. Several folders stand side by side, with the difference of their scores. A
    folder of pgolf ablate is shown as what it is. What is not known is listed as such; nothing of a folder is executed.
    Exit status: 0 the page is written, whatever it says (`pgolf verify` is for scripts), 2 unusable input.

    \b
    Examples:
      pgolf report submissions/mine
      pgolf report runs/with runs/without runs/ablate-mine -o compared.html
    """
    from pgolf.cli.verify import refuse_parent
    from pgolf.manager import load_registry
    from pgolf.report.material import gather, is_submission
    from pgolf.report.page import as_record, page

    folders = tuple(dict.fromkeys(folders))
    for folder in folders:
        refuse_parent(folder)
        is_submission(folder)
    found = gather(folders, partial(load_registry, plugin_dirs), not no_build, output.note)
    output.write_page(page_file, page(found).encode())
    output.note(f"wrote {page_file}")
    if as_json:
        output.print_json({"page": str(page_file), "folders": [as_record(one) for one in found]})
