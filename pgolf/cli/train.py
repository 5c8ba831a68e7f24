"""`pgolf train`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgolf.cli import options, output

if TYPE_CHECKING:
    from pgolf.errors import PgolfError
    from pgolf.run.launch import RunOptions, SeedRun, Target


@click.command()
@click.argument("path", metavar="FOLDER|RECIPE", type=click.Path(exists=True, path_type=Path))
@click.option("--live", is_flag=True, help="Run the entry module from the plugins' own sources.")
@click.option("--smoke", is_flag=True, help="Run the smoke variant, built in FOLDER/smoke.")
@click.option("--data", type=options.EXISTING_FOLDER, help="Folder of shards, or a data folder with datasets/*.")
@click.option("--tokenizer", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="SentencePiece model.")
@click.option("--nproc", type=click.Choice(["1", "2", "4", "8"]), default="1", show_default=True, help="Processes.")
@click.option(
    "--seeds",
    multiple=True,
    callback=options.split_seeds,
    metavar="A,B,C",
    help="One run each. May be repeated.  [default: the recipe's]",
)
@click.option("--iterations", type=click.IntRange(0), help="The most steps.  [default: the recipe's]")
@click.option("--max-wallclock-seconds", type=click.FloatRange(0), help="Budget; 0 is none.  [default: the recipe's]")
@click.option("--export", is_flag=True, help="No training: go on from the weights of a run that failed after it.")
@options.plugin_dirs
@options.as_json
def train(
    path: Path,
    live: bool,
    smoke: bool,
    data: Path | None,
    tokenizer: Path | None,
    nproc: str,
    seeds: tuple[int, ...],
    iterations: int | None,
    max_wallclock_seconds: float | None,
    export: bool,
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Run a built submission, one log per seed in FOLDER/logs, artifacts in FOLDER/artifacts.

    A recipe is built first. Without --data, a smoke build trains on the embedded sample in ./data and any other build
    on the recipe's data_path. A run that fails while it packs its artifact has saved its weights: --export quantizes,
    packs and scores them, and adds to the run's log.

    \b
    Examples:
      pgolf build --smoke --plugins swa -o submissions/quick
      pgolf train submissions/quick
      pgolf train submissions/full --data data --nproc 8 --seeds 1337,42,2025
      pgolf train submissions/full --data data --nproc 8 --seeds 42 --export
    """
    from pgolf.manager import load_registry
    from pgolf.run.data import check_data, find_data
    from pgolf.run.launch import RunOptions, check_ready
    from pgolf.run.target import open_target
    from pgolf.transforms import transform_of

    registry = partial(load_registry, plugin_dirs)
    target = open_target(path, registry, plugin_dirs, live, smoke)
    on_sample = data is None and target.smoke and target.side_files
    transform = transform_of(target.plugins, target.settings, registry()) if on_sample else None
    paths = find_data(data, tokenizer, target.settings, target.smoke, target.side_files, transform)
    check_ready(target)
    check_data(paths, training=not export, side_files=target.side_files)
    run_options = RunOptions(paths, int(nproc), iterations, max_wallclock_seconds, export)
    runs = run_all(target, seeds or (int(target.settings["seed"]),), run_options)
    errors = [failure(run, path, export) for run in runs if run.problem]
    if as_json:
        document = {"folder": str(target.root), "runs": [run.as_record() for run in runs]}
        output.print_json(document | (output.errors_document(errors, 1) if errors else {}))
    else:
        _show(target, runs)
    for error in errors:
        output.note(str(error))
    if errors:
        raise SystemExit(1)


def failure(run: SeedRun, path: Path, export: bool) -> PgolfError:
    """What is wrong with a run, and how to go on."""
    from pgolf.errors import PgolfError

    go_on = f"its weights are saved, go on with pgolf train {path} --seeds {run.seed} --export"
    hint = go_on if run.can_export and not export else ""
    return PgolfError("PG005", f"seed {run.seed}: {run.problem}", str(run.log), hint)


def run_all(target: Target, seeds: tuple[int, ...], run_options: RunOptions) -> list[SeedRun]:
    """The seeds one after the other; the first failure is the last run, since the next would fail alike."""
    from pgolf.run.display import open_display
    from pgolf.run.launch import run_seed

    runs = []
    for seed in seeds:
        output.note(f"seed {seed}: {target.root / 'logs' / f'train_seed{seed}.log'}")
        with open_display(f"seed {seed}", sys.stderr.isatty()) as display:
            runs.append(run_seed(target, seed, run_options, display.line))
        if runs[-1].problem:
            break
    return runs


def _show(target: Target, runs: list[SeedRun]) -> None:
    made = output.table("seed", "val_bpb", "val_loss", "bytes", "steps", "train time", "log", right=("bytes", "steps"))
    for run in runs:
        final, record = run.record.headline, run.record
        seconds = f"{record.train_ms / 1000:.1f} s" if record.train_ms is not None else "-"
        made.add_row(
            str(run.seed),
            final.val_bpb if final else "-",
            final.val_loss if final else "-",
            output.count(record.total_bytes) if record.total_bytes is not None else "-",
            str(record.steps) if record.steps is not None else "-",
            seconds,
            str(run.log),
        )
    output.print_table(made)
