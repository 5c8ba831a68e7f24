"""`pgolf verify`."""

from __future__ import annotations

import os
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pgolf.cli import options, output
from pgolf.errors import PgolfError

if TYPE_CHECKING:
    from pgolf.verify.folder import RunPlan
    from pgolf.verify.outputs_details import Details
    from pgolf.verify.pull_request import Change

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
JOBS = min(8, os.cpu_count() or 1)
NO_RECORD = "a submission is a folder with a submission.json: give the folder that holds some"
REBUILD_HELP = (
    "Most processor time for building it again, then without a limit on memory.  [default: what reading leaves of 20 s]"
)


@click.command()
@click.argument("folders", type=options.EXISTING_FOLDER, nargs=-1)
@click.option("--run", "execute", is_flag=True, help="Also run it in a sandbox: determinism, decode and score.")
@click.option("--foreign", is_flag=True, help="With --run, also a train_gpt.py that its lock does not give again.")
@click.option("--unsafe", is_flag=True, help="With --run, without a sandbox where there is none; never foreign code.")
@click.option(
    "--probe",
    "probes",
    is_flag=False,
    flag_value="all",
    multiple=True,
    metavar="[NAME]",
    help="Also run it small in a sandbox and probe what its scores depend on; NAME for one probe (see the docs).",
)
@click.option("--probe-seed", type=click.IntRange(0, 2**31 - 1), help="Positions of probes.  [default: drawn now]")
@click.option("--diff", "diff_file", type=FILE, metavar="FILE", help="The pull request's diff, for pkg.form.")
@click.option("--all", "below", is_flag=True, help="Every submission below FOLDERS, with a table at the end.")
@click.option("--explain", metavar="ID", help="Say what a check asks and what decides it, and do nothing else.")
@click.option(
    "--sarif", "sarif_file", type=NEW_FILE, metavar="FILE", help="Also write findings as SARIF, for annotations."
)
@click.option("--data", type=options.EXISTING_FOLDER, help="Data for --run.  [default: the embedded sample]")
@click.option("--tokenizer", type=FILE, help="SentencePiece model.")
@click.option("--timeout", type=click.FloatRange(1), default=1800.0, show_default=True, help="Seconds of each run.")
@click.option("--rebuild-limit", type=click.FloatRange(1), metavar="SECONDS", help=REBUILD_HELP)
@click.option("--rules", type=FILE, help="A rule set of your own.  [default: the one that the folder was built for]")
@click.option("--repack", is_flag=True, help="Also minify and pack the code again, for its third size (seconds).")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown for a pull-request comment.")
@click.option("--html", "html_file", type=NEW_FILE, metavar="FILE", help="Also write one standalone HTML page.")
@click.option("--jobs", type=click.IntRange(1, 64), default=JOBS, show_default=True, help="Folders at a time.")
@click.option("-v", "--verbose", is_flag=True, help="Also a line for every check that passed.")
@options.plugin_dirs
@options.as_json
def verify(
    folders: tuple[Path, ...],
    execute: bool,
    foreign: bool,
    unsafe: bool,
    probes: tuple[str, ...],
    probe_seed: int | None,
    diff_file: Path | None,
    below: bool,
    explain: str | None,
    sarif_file: Path | None,
    data: Path | None,
    tokenizer: Path | None,
    timeout: float,
    rebuild_limit: float | None,
    rules: Path | None,
    repack: bool,
    as_markdown: bool,
    html_file: Path | None,
    jobs: int,
    verbose: bool,
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Check everything about submissions that can be checked: files, bytes, code, claims, logs, provenance.

    Nothing of a submission is executed without --run or --probe. Exit status: 0 pass, 1 findings, 2 unusable input.

    \b
    Examples:
      pgolf verify submissions/quick
      pgolf verify submissions/quick --run --json
      pgolf verify records/*/* --jobs 4 --html report.html
      pgolf verify records/track/mine --probe
      pgolf verify records/track/mine --diff pull.diff --sarif findings.sarif
      pgolf verify --all records --jobs 4
    """
    from pgolf.verify.folder import RunPlan

    if (foreign or unsafe) and not execute:
        raise click.UsageError("--foreign and --unsafe are for --run")
    if as_json and as_markdown:
        raise click.UsageError("--json and --markdown exclude each other")
    if explain is not None:
        say_explanation(explain)
        return
    folders, probes = probes_asked(folders, probes)
    plan = RunPlan(
        *(execute, data, tokenizer, timeout, repack, output.note, unsafe, foreign, rebuild_limit),
        probes=probes,
        probe_seed=probe_seed,
        changes=read_changes(diff_file) if diff_file is not None else None,
    )
    results = judged(
        every_submission(folders) if below else folders, plan, rules, plugin_dirs, jobs, html_file is not None
    )
    reports = [report for report, _ in results]
    if html_file is not None:
        write_page(html_file, results)
    if sarif_file is not None:
        write_sarif(sarif_file, reports)
    show(reports, as_json, as_markdown, verbose)
    if any(report["verdict"] != "pass" for report in reports):
        raise SystemExit(1)


Result = tuple[dict[str, Any], "Details | None"]


def judged(
    folders: tuple[Path, ...],
    plan: RunPlan,
    rules: Path | None,
    plugin_dirs: tuple[Path, ...],
    jobs: int,
    details: bool,
) -> list[Result]:
    """The reports of all folders; what is run is run one at a time.

    Raises:
        click.UsageError: where there is no folder.
        PgolfError: PG004 for a folder of submissions that is none.
    """
    from pgolf.challenge import load_challenge
    from pgolf.manager import load_registry
    from pgolf.verify.bounded import verify_bounded
    from pgolf.verify.folder import View

    if not folders:
        raise click.UsageError("Missing argument 'FOLDERS...'.")
    for folder in folders:
        refuse_parent(folder)
    judged_by = load_challenge(rules) if rules else None
    registry = partial(load_registry, plugin_dirs)
    one_by_one = plan.enabled or bool(plan.probes)
    return verify_bounded(
        folders, lambda folder: View(folder, registry, plan, judged_by), 1 if one_by_one else jobs, details
    )


def probes_asked(folders: tuple[Path, ...], asked: tuple[str, ...]) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Folders and names of probes; a folder behind a bare --probe is a folder."""
    from pgolf.probe.verdicts import PROBES

    names = []
    for name in asked:
        if name not in (*PROBES, "all") and Path(name).is_dir():
            folders, name = (*folders, Path(name)), "all"
        elif name not in (*PROBES, "all"):
            raise click.UsageError(f"there is no probe {name!r}; there are {', '.join(PROBES)}")
        names.append(name)
    return folders, tuple(names)


def say_explanation(name: str) -> None:
    """Lines about one check."""
    from pgolf.verify.check_explanation import explain

    for line in explain(name):
        click.echo(line)


def every_submission(folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """Folders with a submission.json, up to two below each of `folders`; PG004 where there is none."""
    from pgolf.verify.recheck import record_folders

    found = []
    for folder in folders:
        below = record_folders(folder)
        if not below:
            raise PgolfError("PG004", "no submission lies in it or up to two folders below", str(folder), NO_RECORD)
        found += below
    return tuple(dict.fromkeys(found))


def read_changes(path: Path) -> tuple[Change, ...]:
    """The paths of a diff; PG001 where the file is none."""
    from pgolf.verify.pull_request import DIFF_LIMIT, NoDiff, read_diff

    try:
        with path.open("rb") as file:
            return tuple(read_diff(file.read(DIFF_LIMIT + 1)))
    except (NoDiff, OSError) as error:
        raise PgolfError("PG001", f"is no diff: it {error}", str(path), "git diff MAIN...HEAD > FILE") from None


def write_sarif(path: Path, reports: list[dict[str, Any]]) -> None:
    """Findings for code hosts; PG001 where the file cannot be written."""
    import json

    from pgolf.verify.sarif import sarif

    output.write_page(path, (json.dumps(sarif(reports), indent=1) + "\n").encode())


def refuse_parent(folder: Path) -> None:
    """PG004 for a folder that is no submission and holds some: one report would be of none of them."""
    from pgolf.verify.folder import CODE_NAME, JSON_NAME

    if (folder / JSON_NAME).exists() or (folder / CODE_NAME).exists():
        return
    for depth in ("*", "*/*"):
        holds = sorted(path.parent.name for path in folder.glob(f"{depth}/{JSON_NAME}"))
        if holds:
            what = f"holds submissions ({', '.join(holds[:3])}{', ...' if len(holds) > 3 else ''}) and is none"
            raise PgolfError("PG004", what, str(folder), f"pgolf verify --all {shlex.quote(str(folder))}")


def write_page(path: Path, results: list[Result]) -> None:
    """The HTML page; PG001 where it cannot be written."""
    from pgolf.verify.html import page

    output.write_page(path, page([report for report, _ in results], [found for _, found in results]).encode())


def show(reports: list[dict[str, Any]], as_json: bool, as_markdown: bool, verbose: bool) -> None:
    """Print them: one document, Markdown, or lines for people with a table at the end where there are several."""
    from pgolf.verify.outputs import markdown, render, summary

    if as_json:
        output.print_json(reports[0] if len(reports) == 1 else reports)
    elif as_markdown:
        click.echo(markdown(reports), nl=False)
    else:
        for report in reports:
            for line in render(report, verbose):
                click.echo(line)
            if len(reports) > 1:
                click.echo()
        for line in summary(reports) if len(reports) > 1 else ():
            click.echo(line)
