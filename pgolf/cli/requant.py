"""`pgolf requant`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pgolf.cli import options, output
from pgolf.cli.prove import open_recipe

if TYPE_CHECKING:
    from pgolf.manager import Registry
    from pgolf.recipe import Recipe
    from pgolf.requant.grid import Values
    from pgolf.requant.sweep import Sweep
    from pgolf.run.data import DataPaths

Report = Callable[[int, int, str, str], None]


@click.command()
@click.argument("checkpoint", type=options.EXISTING)
@click.argument("recipe", metavar="RECIPE|FOLDER", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--sweep", "sweeps", multiple=True, metavar="NAME=VALUES", help="11..14, 11..14:0.5 or 11,12.85. Repeat it."
)
@options.plugins
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting. May be repeated.")
@click.option("--name", default="", help="Name of the curve.  [default: the recipe's]")
@click.option("--smoke", is_flag=True, help="The weights are of the recipe's smoke variant.")
@click.option("--data", type=options.EXISTING_FOLDER, help="Folder of shards, or a data folder with datasets/*.")
@click.option("--tokenizer", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="SentencePiece model.")
@click.option(
    "-o", "--output", "out", type=options.FOLDER, help="Keeps finished points.  [default: requant beside the weights]"
)
@click.option("--calibrate", is_flag=True, help="Collect input statistics anew, even where the run has saved its own.")
@click.option("--keep-artifacts", "keep", is_flag=True, help="Keep the artifact of every point.")
@click.option("--plot", "plots", multiple=True, metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
              help="BPB against bytes, as .html or .png. May be repeated.")  # fmt: skip
@options.plugin_dirs
@options.as_json
def requant(
    checkpoint: Path,
    recipe: Path,
    sweeps: tuple[str, ...],
    plugins: tuple[str, ...],
    assignments: tuple[str, ...],
    name: str,
    smoke: bool,
    data: Path | None,
    tokenizer: Path | None,
    out: Path | None,
    calibrate: bool,
    keep: bool,
    plots: tuple[Path, ...],
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Quantize, compress and score trained weights again, without training, for every point of a grid.

    CHECKPOINT is a final_model.pt, or the folder of a run that has one: of pgolf, or of a public script whose model is the
    recipe's. A point is what a build with its settings would export and score, bit for bit. Finished points are
    kept: the same command goes on where one was stopped. Other points that the folder keeps for the weights are in the plots.
    Exit status: 0 all points, 1 some failed, 2 unusable input.

    \b
    Examples:
      pgolf requant submissions/full/artifacts/seed42 submissions/full --sweep matrix_clip_sigmas=11..14
      pgolf requant final_model.pt recipe.toml --sweep matrix_bits=5,6 --sweep embed_bits=7,8 --plot pareto.html
      pgolf requant final_model.pt recipe.toml --plugins lqer --name lqer --data data --plot pareto.png
    """
    from pgolf.manager import load_registry
    from pgolf.requant.grid import read_grid
    from pgolf.requant.pareto import check_plots, gather, write_plots

    check_plots(plots)
    registry = load_registry(plugin_dirs)
    grid = read_grid(sweeps)
    chosen = open_recipe(recipe, plugins, assignments)
    chosen = chosen.override(name=name) if name else chosen
    request = Request(checkpoint, smoke, data, tokenizer, out, calibrate, keep)
    sweep, cap, folder = _run(request, chosen, grid, registry)
    good = gather(folder, sweep.points)
    if good:
        write_plots(plots, good, cap)
        for path in plots:
            output.note(f"wrote {path}")
    if as_json:
        output.print_json(_as_record(sweep, folder, cap))
    else:
        _show(sweep, cap)
    for point in sweep.failed:
        output.note(f"error[PG005]: {point['settings'] or point['series']}: {point['problem']}")
    if sweep.failed:
        raise SystemExit(1)


@dataclass(frozen=True)
class Request:
    """What the command line asks for, besides recipe and grid."""

    checkpoint: Path
    smoke: bool
    data: Path | None
    tokenizer: Path | None
    out: Path | None
    calibrate: bool
    keep: bool


def _run(request: Request, recipe: Recipe, grid: Sequence[Values], registry: Registry) -> tuple[Sweep, int, Path]:
    """The sweep, the cap of its challenge, and the folder where it is kept."""
    from pgolf.challenge import find_challenge
    from pgolf.requant.checkpoint import read_checkpoint
    from pgolf.requant.sweep import Plan, run_sweep
    from pgolf.submission import smoke_recipe

    recipe = smoke_recipe(recipe, registry) if request.smoke else recipe
    paths = _find_data(request, recipe, registry)
    weights = read_checkpoint(request.checkpoint)
    folder = request.out or weights.path.parent / "requant"
    with open_report(sys.stderr.isatty()) as report:
        plan = Plan(recipe, grid, weights, paths, folder, request.smoke, request.calibrate, request.keep, report)
        return run_sweep(plan, registry), find_challenge(recipe.challenge).artifact_cap, folder


def _find_data(request: Request, recipe: Recipe, registry: Registry) -> DataPaths:
    """Shards and tokenizer.

    Raises:
        PgolfError: PG004 for a program or package that the recipe needs, before anything that takes long; and what is wrong
            with the data.
    """
    from pgolf.errors import PgolfError
    from pgolf.needs import collect_needs, how_to_install, missing_needs
    from pgolf.run.data import selection_data
    from pgolf.select import select

    selection = select(recipe, registry)
    missing = missing_needs(collect_needs(loaded.plugin for loaded in selection.plugins.values()), request.smoke)
    if missing:
        text = "; ".join(f"the {need.kind} {need.name} is not here ({need.why})" for need in missing)
        raise PgolfError("PG004", text, recipe.where, how_to_install(missing))
    return selection_data(selection, registry, request.data, request.tokenizer, request.smoke, training=False)


@contextmanager
def open_report(terminal: bool) -> Iterator[Report]:
    """A bar over the points on a terminal, a line for each finished stage anywhere else."""
    if not terminal:
        yield lambda total, done, point, stage: output.note(f"point {done + 1}/{total} {point}: {stage}")
        return
    from pgolf.run.display import make_bar

    with make_bar() as progress:
        task = progress.add_task("requant", total=None)

        def report(total: int, done: int, point: str, stage: str) -> None:
            ended = stage == "kept" or stage.startswith(("val_bpb", "failed"))
            progress.update(task, total=total, completed=done + ended, description=f"{point}: {stage}")
            if ended:
                progress.console.print(f"{point}: {stage}", soft_wrap=True)

        yield report


def _as_record(sweep: Sweep, folder: Path, cap: int) -> dict[str, Any]:
    """The document of `--json`."""
    from pgolf.requant.pareto import front

    good = [point for point in sweep.points if not point["problem"]]
    points = [
        {
            **point,
            "fits": not point["problem"] and point["bytes_total"] <= cap,
            "front": any(point is one for one in front(good)),
        }
        for point in sweep.points
    ]
    return {"folder": str(folder), "cap": cap, "statistics": sweep.statistics, "points": points}


def _show(sweep: Sweep, cap: int) -> None:
    """The table: settings, BPB, what quantization costs, bytes, seconds."""
    from pgolf.requant.pareto import front

    names = list(sweep.points[0]["settings"])
    numbers = ("val_bpb", "round trip - float", "bytes", "left", "seconds")
    made = output.table(*names, "scored", *numbers, "front", right=numbers)
    good = [point for point in sweep.points if not point["problem"]]
    best = front(good)
    for point in good:
        first = next(iter(point["scores"].values()))
        made.add_row(
            *(str(point["settings"][name]) for name in names),
            point["label"].removesuffix("_exact"),
            f"{point['val_bpb']:.8f}",
            f"{first - point['float']['val_bpb']:+.5f}",
            output.count(point["bytes_total"]),
            output.count(cap - point["bytes_total"]),
            f"{point['seconds']['all']:.1f}",
            "*" if any(point is one for one in best) else "",
        )
    output.print_table(made)
    if good:
        click.echo(f"float weights, windows side by side: {good[0]['float']['val_bpb']:.8f}")
    click.echo(f"input statistics: {sweep.statistics}")
