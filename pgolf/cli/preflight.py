"""`pgolf preflight`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgolf.cli import options, output

if TYPE_CHECKING:
    from pgolf.preflight.preflight import Report

MARKS = {"ok": "ok", "problem": "PROBLEM", "unknown": "unknown", "skipped": "-"}


@click.command()
@click.argument("path", metavar="FOLDER|RECIPE", type=click.Path(exists=True, path_type=Path))
@click.option("--smoke", is_flag=True, help="Only the smoke variant, in FOLDER/smoke.")
@click.option("--data", type=options.EXISTING_FOLDER, help="Folder of shards, or a data folder with datasets/*.")
@click.option("--tokenizer", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="SentencePiece model.")
@click.option("--nproc", type=click.Choice(["1", "2", "4", "8"]), default="1", show_default=True, help="Processes.")
@click.option(
    "--train-seconds", type=click.FloatRange(1), default=10.0, show_default=True, help="Training in the rehearsal."
)
@click.option("--quick", is_flag=True, help="Score the artifact once: no seconds of scoring and adapting.")
@click.option(
    "--compile",
    "compiled",
    is_flag=True,
    help="Compile as the run will: its seconds and memory; fills its compile cache.",
)
@options.plugin_dirs
@options.as_json
def preflight(
    path: Path,
    smoke: bool,
    data: Path | None,
    tokenizer: Path | None,
    nproc: str,
    train_seconds: float,
    quick: bool,
    compiled: bool,
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Find out what would spoil a run, before it is paid for; run it on the pod with the options of `pgolf train`.

    Packages are imported, the coder's program runs on ten bytes, GPUs, disk, clock and the sum over ranks are tried, shards
    are hashed, and the tokenizer must make validation documents again. Then the whole program runs at full shapes on few
    tokens: warm-up of every set of phases, seconds of training, calibration, quantizing, compressing, decoding, scoring,
    adapting; and the artifact alone. Without a GPU it runs at smoke size. A recipe is built first. Forecasts: bytes of file and
    artifact, seconds of each stage. A file that is not its lock's is refused.

    Nothing is compiled, so that it takes less than a minute: seconds and memory are upper bounds, and too little memory is no
    problem of the recipe. With --compile both are the run's own, and what was compiled is kept for the run.

    Exit status: 0 nothing is wrong, 1 something is, 2 unusable input. What could not be found out is "unknown".

    \b
    Examples:
      pgolf preflight submissions/pr1512 --data data --nproc 8
      pgolf preflight submissions/pr1512 --data data --nproc 8 --json > preflight.json && pgolf train ...
      pgolf preflight --smoke submissions/pr1512
    """
    from functools import partial

    from pgolf.manager import load_registry
    from pgolf.preflight.preflight import Wishes
    from pgolf.preflight.preflight import preflight as look

    wishes = Wishes(path, data, tokenizer, int(nproc), smoke, train_seconds, quick, compiled, plugin_dirs)
    report = look(wishes, partial(load_registry, plugin_dirs), output.note)
    if as_json:
        output.print_json(report.as_record())
    else:
        _show(report)
    if not report.ready:
        raise SystemExit(1)


def _show(report: Report) -> None:
    """Findings, seconds, verdict, command."""
    made = output.table("check", "", "seen")
    for one in report.findings:
        made.add_row(one.check, MARKS[one.state], f"{one.text}\nhelp: {one.hint}" if one.hint else one.text)
    output.print_table(made)
    if report.times:
        times = output.table("stage", "seconds", "from", right=("seconds",))
        for time in report.times:
            times.add_row(time.stage, "-" if time.seconds is None else f"{time.seconds:.1f}", time.basis)
        output.print_table(times)
    problems = sum(one.state == "problem" for one in report.findings)
    questions = len(report.open_questions)
    verdict = "ready" if report.ready else f"not ready, {problems} problem{'s' * (problems > 1)}"
    at_size = ", tried at smoke size" if report.smoke else ""
    left = f", {questions} not known" if questions else ""
    click.echo(f"{verdict}{at_size}{left}; {report.seconds:.1f} s\nlaunch:")
    for line in report.launch:
        click.echo(f"  {line}")
