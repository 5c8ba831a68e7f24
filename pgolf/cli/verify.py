"""`pgolf verify`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from pgolf.cli import options, output


@click.command()
@click.argument("folder", type=options.EXISTING_FOLDER)
@click.option("--run", "execute", is_flag=True, help="Also run it in a sandbox: determinism, decode and score.")
@click.option("--data", type=options.EXISTING_FOLDER, help="Data for --run.  [default: the embedded sample]")
@click.option("--tokenizer", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="SentencePiece model.")
@click.option("--timeout", type=click.FloatRange(1), default=1800.0, show_default=True, help="Seconds of each run.")
@click.option("-v", "--verbose", is_flag=True, help="Also a line for every check that passed.")
@options.plugin_dirs
@options.as_json
def verify(
    folder: Path,
    execute: bool,
    data: Path | None,
    tokenizer: Path | None,
    timeout: float,
    verbose: bool,
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Check everything about a submission that can be checked: files, bytes, claims, logs, provenance.

    Nothing of the submission is executed without --run. Exit status: 0 pass, 1 findings, 2 unusable input.

    \b
    Examples:
      pgolf verify submissions/quick
      pgolf verify submissions/quick --run --json
    """
    from pgolf.manager import load_registry
    from pgolf.verify.folder import RunPlan, View
    from pgolf.verify.report import render
    from pgolf.verify.report import verify as check_all

    plan = RunPlan(execute, data, tokenizer, timeout, output.note)
    report = check_all(View(folder, partial(load_registry, plugin_dirs), plan))
    if as_json:
        output.print_json(report)
    else:
        for line in render(report, verbose):
            click.echo(line)
    if report["verdict"] != "pass":
        raise SystemExit(1)
