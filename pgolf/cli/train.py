"""`pgolf train`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
@click.option("--nnodes", type=click.IntRange(1, 8), default=1, show_default=True, help="Machines, each with --nproc.")
@click.option("--node-rank", type=click.IntRange(0), help="Which of them this one is, from 0.")
@click.option("--rdzv-endpoint", metavar="HOST:PORT", help="Where node 0 is found; the port after it is used, too.")
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
@click.option("--score", is_flag=True, help="No training: score the artifact that is there once more.")
@click.option("--checkpoint-every", type=click.IntRange(1), metavar="STEPS", help="Keep the state, in a live run.")
@click.option("--resume", is_flag=True, help="Go on from the newest checkpoint.")
@click.option("--no-early-stop", is_flag=True, help="Go on although the loss has diverged, or bytes will be too many.")
@click.option("--tensorboard", is_flag=True, help="Write an event file in FOLDER/artifacts/tensorboard.")
@click.option("--wandb", metavar="PROJECT", help="Follow the run at Weights & Biases, or offline by WANDB_MODE.")
@options.plugin_dirs
@options.as_json
def train(
    path: Path,
    live: bool,
    smoke: bool,
    data: Path | None,
    tokenizer: Path | None,
    nproc: str,
    nnodes: int,
    node_rank: int | None,
    rdzv_endpoint: str | None,
    seeds: tuple[int, ...],
    iterations: int | None,
    max_wallclock_seconds: float | None,
    export: bool,
    score: bool,
    checkpoint_every: int | None,
    resume: bool,
    no_early_stop: bool,
    tensorboard: bool,
    wandb: str | None,
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Run a built submission, one log per seed in FOLDER/logs, artifacts in FOLDER/artifacts.

    A recipe is built first. Without --data, a smoke build trains on the embedded sample in ./data and any other build
    on the recipe's data_path. A run that fails while it packs its artifact has saved its weights: --export quantizes,
    packs and scores them, and adds to the run's log. --score scores an artifact alone.

    --checkpoint-every keeps everything that the next steps depend on, so that --resume goes on as if nothing had been: bit for
    bit with step_clock, and by the wall clock from the time of the checkpoint. Both run live, in FOLDER/artifacts/live:
    the same program as the built file, which stays as small as it is. While a checkpoint is written the clock stands still.

    A run whose loss is no number, or after step 100 stays above where it began, is ended, and so is one that `pgolf forecast`,
    beside it, finds surely over the cap. Curves are in FOLDER/artifacts.

    Several machines: the same command with its --node-rank on each, in one folder that all share. When one dies or fails, the
    others end with its reason.

    \b
    Examples:
      pgolf build --smoke --plugins swa -o submissions/quick
      pgolf train submissions/quick
      pgolf train submissions/full --data data --nproc 8 --seeds 1337,42,2025
      pgolf train submissions/full --data data --nproc 8 --seeds 42 --export
      pgolf train submissions/full --data data --nproc 8 --checkpoint-every 500
      pgolf train submissions/full --data data --nproc 8 --checkpoint-every 500 --resume
      pgolf train submissions/full --data data --nproc 4 --nnodes 2 --node-rank 0 --rdzv-endpoint 10.0.0.1:29500
    """
    from pgolf.manager import load_registry
    from pgolf.run.data import check_data, find_data
    from pgolf.run.launch import RunOptions, check_ready
    from pgolf.run.nodes import read_nodes
    from pgolf.run.target import open_target
    from pgolf.run.trackers import check_trackers
    from pgolf.transforms import transform_of

    check_choices(export, score, resume, checkpoint_every)
    check_trackers(tensorboard, wandb)
    nodes = read_nodes(nnodes, node_rank, rdzv_endpoint, int(nproc))
    checkpoints = resume or checkpoint_every is not None
    registry = partial(load_registry, plugin_dirs)
    target = open_target(path, registry, plugin_dirs, live or checkpoints, smoke, checkpoints)
    on_sample = data is None and target.smoke and target.side_files
    transform = transform_of(target.plugins, target.settings, registry()) if on_sample else None
    paths = find_data(data, tokenizer, target.settings, target.smoke, target.side_files, transform)
    check_ready(target)
    check_data(paths, training=not (export or score), side_files=target.side_files)
    run_options = RunOptions(
        paths,
        int(nproc),
        iterations,
        max_wallclock_seconds,
        export,
        score,
        checkpoint_every,
        resume,
        early_stop=not no_early_stop,
        nodes=nodes,
    )
    leads = nodes is None or nodes.rank == 0
    recipe = None if no_early_stop or target.smoke or export or score or not leads else path
    beside = Beside(recipe, plugin_dirs, tensorboard and leads, wandb if leads else None)
    runs = run_all(target, seeds or (int(target.settings["seed"]),), run_options, beside)
    if leads:
        write_curves(target.root, runs)
    report(target, runs, [failure(run, path, export) for run in runs if run.problem], as_json)


def report(target: Target, runs: list[SeedRun], errors: list[PgolfError], as_json: bool) -> None:
    """Print what came of the runs; exit status 1 where one failed."""
    if as_json:
        document = {"folder": str(target.root), "runs": [run.as_record() for run in runs]}
        output.print_json(document | (output.errors_document(errors, 1) if errors else {}))
    else:
        _show(target, runs)
    for error in errors:
        output.note(str(error))
    if errors:
        raise SystemExit(1)


def write_curves(root: Path, runs: list[SeedRun]) -> None:
    """Losses of these runs as FOLDER/artifacts/curves.html, and .png where matplotlib is there."""
    from pgolf.errors import PgolfError
    from pgolf.files import write_atomically
    from pgolf.logs.plot import page, png
    from pgolf.logs.table import curves

    lines = curves({f"seed {run.seed}": run.record for run in runs})
    if not lines:
        return
    write_atomically(root / "artifacts" / "curves.html", page(lines).encode())
    try:
        write_atomically(root / "artifacts" / "curves.png", png(lines))
    except PgolfError as error:
        output.note(f"no curves.png: {error.message}")


def check_choices(export: bool, score: bool, resume: bool, checkpoint_every: int | None) -> None:
    """PG004 for stages that exclude each other."""
    from pgolf.errors import PgolfError

    chosen = [name for name, on in (("--export", export), ("--score", score), ("--resume", resume)) if on]
    chosen += ["--checkpoint-every"] if checkpoint_every and (export or score) else []
    if len(chosen) > 1:
        raise PgolfError("PG004", f"{' and '.join(chosen)} do not go together", hint="give one of them")


def failure(run: SeedRun, path: Path, export: bool) -> PgolfError:
    """What is wrong with a run, and how to go on."""
    from pgolf.errors import PgolfError

    go_on = f"its weights are saved, go on with pgolf train {path} --seeds {run.seed} --export"
    hint = go_on if run.can_export and not export else ""
    if not run.can_export and run.checkpoint is not None:
        hint = (
            f"its state after {run.checkpoint} steps is kept, go on with pgolf train {path} --seeds {run.seed} --resume"
        )
    frame = "\n".join(f"   | {line}" for line in run.last)
    return PgolfError("PG005", f"seed {run.seed}: {run.problem}", str(run.log), hint, frame)


@dataclass(frozen=True)
class Beside:
    """What goes on beside a run: the recipe is weighed, where one is given, and numbers go to services."""

    recipe: Path | None = None
    plugin_dirs: tuple[Path, ...] = ()
    tensorboard: bool = False
    wandb: str | None = None


def run_all(target: Target, seeds: tuple[int, ...], run_options: RunOptions, beside: Beside) -> list[SeedRun]:
    """The seeds one after the other; the first failure is the last run, since the next would fail alike."""
    from pgolf.run.bytes_watch import BytesWatch, command_of
    from pgolf.run.display import open_display
    from pgolf.run.launch import run_seed
    from pgolf.run.trackers import open_tracker

    runs: list[SeedRun] = []
    command = command_of(beside.recipe, beside.plugin_dirs) if beside.recipe is not None else None
    with BytesWatch(command) as weighed:
        for seed in seeds:
            output.note(f"seed {seed}: {target.root / 'logs' / f'train_seed{seed}.log'}")
            numbers = open_tracker(target.root, seed, beside.tensorboard, beside.wandb, target.settings, output.note)
            with open_display(f"seed {seed}", sys.stderr.isatty()) as display, numbers:

                def receive(line: str, listeners: Any = (display, numbers, weighed)) -> None:
                    for one in listeners:
                        one.line(line)

                runs.append(run_seed(target, seed, run_options, receive))
                numbers.status = int(bool(runs[-1].problem))
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
