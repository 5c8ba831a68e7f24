"""`pgolf ablate`."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgolf.cli import options, output
from pgolf.cli.prove import open_recipe

if TYPE_CHECKING:
    from pgolf.ablate.ablate import Ablation, Outcome

HEAD = ("variant", "seeds", "BPB", "effect", "+-", "p", "bytes", "code", "ms a step")


@click.command()
@click.argument("recipe", required=False, metavar="[RECIPE|FOLDER]", type=click.Path(path_type=Path))
@options.plugins
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting. May be repeated.")
@click.option(
    "--drop",
    multiple=True,
    metavar="A,B+C|each",
    callback=options.split_names,
    help="Leave these out, one variant each.",
)
@click.option(
    "--add", multiple=True, metavar="A,B+C", callback=options.split_names, help="Add these, one variant each."
)
@click.option("--smoke", is_flag=True, help="Pairs of the smoke variant.")
@click.option("--seeds", multiple=True, callback=options.split_seeds, metavar="A,B,C", help="[default: the recipe's]")
@click.option("--iterations", type=click.IntRange(1), help="The most steps.  [default: the recipe's]")
@click.option("--max-wallclock-seconds", type=click.FloatRange(0), help="Budget; 0 is none.  [default: the recipe's]")
@click.option("--nproc", type=click.Choice(["1", "2", "4", "8"]), default="1", show_default=True, help="Processes.")
@click.option("--data", type=options.EXISTING_FOLDER, help="Folder of shards, or a data folder with datasets/*.")
@click.option("--tokenizer", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="SentencePiece model.")
@click.option(
    "-o", "--output", "out", type=options.FOLDER, help="Keeps builds, logs and runs.  [default: runs/ablate-NAME]"
)
@click.option("--markdown", "as_markdown", is_flag=True, help="Print a Markdown table.")
@options.plugin_dirs
@options.as_json
def ablate(
    recipe: Path | None,
    plugins: tuple[str, ...],
    assignments: tuple[str, ...],
    drop: tuple[str, ...],
    add: tuple[str, ...],
    smoke: bool,
    seeds: tuple[int, ...],
    iterations: int | None,
    max_wallclock_seconds: float | None,
    nproc: str,
    data: Path | None,
    tokenizer: Path | None,
    out: Path | None,
    as_markdown: bool,
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Measure what plugins are worth: pairs of runs with and without each, with the same seeds, data and starting weights.

    An effect is the mean difference of the scores in bits per byte, below 0 where the variant is better; with several seeds its
    standard error and the p-value of no difference stand beside it. The noise is the spread of the base over seeds. Runs are
    kept: the same command goes on where one was stopped, and more seeds or variants only add runs.
    Exit status: 0 all pairs, 1 some could not be built or run, 2 unusable input.

    \b
    Examples:
      pgolf ablate submissions/pr1512 --drop each --smoke
      pgolf ablate submissions/pr1855 --drop xsa,skip_gates --seeds 1337,42,2025 --data data
      pgolf ablate --plugins swa --add pko,xsa+ln_scale --smoke --markdown
    """
    from pgolf.ablate.ablate import run_pairs
    from pgolf.ablate.variants import make_variants
    from pgolf.manager import load_registry
    from pgolf.run.data import selection_data
    from pgolf.run.display import open_display
    from pgolf.run.launch import RunOptions
    from pgolf.select import select
    from pgolf.submission import smoke_recipe

    if not drop and not add:
        raise click.UsageError("nothing to compare: give --drop or --add, e.g. --drop each")
    if as_json and as_markdown:
        raise click.UsageError("--json and --markdown exclude each other")
    registry = load_registry(plugin_dirs)
    chosen = open_recipe(recipe, plugins, assignments)
    chosen = smoke_recipe(chosen, registry) if smoke else chosen
    selection = select(chosen, registry)
    settings = selection.settings.as_dict()
    paths = selection_data(selection, registry, data, tokenizer, smoke)
    variants = make_variants(chosen, registry, drop, add, smoke)
    folder = out or Path("runs") / f"ablate-{chosen.name}"
    given = RunOptions(paths, int(nproc), iterations, max_wallclock_seconds)
    with open_display("ablate", sys.stderr.isatty()) as display:
        found = run_pairs(variants, seeds or (int(settings["seed"]),), given, folder, output.note, display.line)
    if as_json:
        output.print_json(found.as_record())
    else:
        (show_markdown if as_markdown else show)(found)
    for one in found.failed:
        output.note(f"error[PG005]: {one.name}: {one.problem}")
    if found.failed:
        raise SystemExit(1)


def show_markdown(found: Ablation) -> None:
    """The table for a pull request."""
    for row in (HEAD, ("---",) * len(HEAD), *map(cells, found.outcomes)):
        click.echo(f"| {' | '.join(row)} |")


def cells(one: Outcome) -> tuple[str, ...]:
    """A row; what is not known is "-"."""
    score = f"{sum(run.val_bpb for run in one.runs) / len(one.runs):.4f}" if one.runs else "-"
    effect = one.effect
    if effect is None:
        return (one.name, str(len(one.runs)), score, *["-"] * (len(HEAD) - 3))
    known = [f"{effect.error:.4f}", f"{effect.p:.3g}"] if math.isfinite(effect.error) else ["-", "-"]
    sizes = (f"{effect.bytes:+,.0f}", f"{effect.code_bytes:+,}", f"{1000 * effect.step_seconds:+.2f}")
    return (one.name, str(effect.seeds), score, f"{effect.bpb:+.4f}", *known, *sizes)


def show(found: Ablation) -> None:
    """The table, the noise, and what was lost with a plugin."""
    made = output.table(*HEAD, right=HEAD[1:])
    for one in found.outcomes:
        made.add_row(*cells(one))
    output.print_table(made)
    noise = f"{found.noise:.4f} BPB" if math.isfinite(found.noise) else "not known, one seed only"
    click.echo(f"spread of the base over seeds: {noise}")
    for one in found.outcomes:
        if one.lost:
            click.echo(f"{one.name} has no use for {', '.join(one.lost)}")
