"""`pgolf profile`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgolf.cli import options, output
from pgolf.cli.prove import open_recipe

if TYPE_CHECKING:
    from pgolf.profile.profile import Profile


@click.command()
@click.argument("recipe", required=False, metavar="[RECIPE|FOLDER]", type=click.Path(path_type=Path))
@options.plugins
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting. May be repeated.")
@click.option("--smoke", is_flag=True, help="Profile the smoke variant.")
@click.option("--steps", type=click.IntRange(1, 100), default=2, show_default=True, help="Profiled steps.")
@click.option("--phases", metavar="A,B", help="Phases that are on, or none.  [default: all]")
@click.option("--no-export", "export", flag_value=False, type=bool, default=True, help="Leave the artifact out.")
@click.option("--trace", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write a Chrome trace.")
@click.option("--data", type=options.EXISTING_FOLDER, help="Folder of shards, or a data folder with datasets/*.")
@click.option("--tokenizer", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="SentencePiece model.")
@options.plugin_dirs
@options.as_json
def profile(
    recipe: Path | None,
    plugins: tuple[str, ...],
    assignments: tuple[str, ...],
    smoke: bool,
    steps: int,
    phases: str | None,
    export: bool,
    trace: Path | None,
    data: Path | None,
    tokenizer: Path | None,
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Say where the time of a recipe goes: milliseconds by plugin and stage, and bytes.

    The live program runs a few steps as in training, then the same steps under PyTorch's profiler, a few scored batches and the
    export. Times are of the GPU where there is one, else of the processor; those of the export are of the wall clock. On a GPU
    the profiled steps are not compiled: the step as it is compiled is a line of its own. What an operator of the backward pass
    takes counts for the plugin whose forward it belongs to.

    \b
    Examples:
      pgolf profile submissions/pr1855 --smoke
      pgolf profile submissions/pr1512 --data data --trace trace.json --no-export
      pgolf profile --plugins swa,xsa --smoke --json
    """
    from pgolf.manager import load_registry
    from pgolf.profile.profile import Order
    from pgolf.profile.profile import profile as measure
    from pgolf.run.data import selection_data
    from pgolf.select import select
    from pgolf.submission import smoke_recipe

    registry = load_registry(plugin_dirs)
    chosen = open_recipe(recipe, plugins, assignments)
    chosen = smoke_recipe(chosen, registry) if smoke else chosen
    selection = select(chosen, registry)
    paths = selection_data(selection, registry, data, tokenizer, smoke)
    on = None if phases is None else tuple(name for name in phases.split(",") if name not in ("", "none"))
    output.note(
        f"profiling {steps + 2} steps and as many under the profiler, of {selection.settings.train_batch_tokens:,} tokens"
    )
    found = measure(chosen, registry, paths, Order(steps, on, export, trace), plugin_dirs, smoke)
    if as_json:
        output.print_json(found.as_record())
    else:
        show(found)
    if trace is not None:
        output.note(f"wrote {trace}; open it in chrome://tracing or ui.perfetto.dev")


def show(found: Profile) -> None:
    """The table, and the run's figures."""
    from pgolf.profile.profile import STAGES

    stages = [stage for stage in STAGES if found.total(stage)]
    numbers = [*stages, "step", "share", "code bytes", "parameters"]
    made = output.table("plugin", *numbers, right=numbers, title="milliseconds")
    whole = sum(row.step for row in found.rows) or 1.0
    for row in found.rows:
        cells = [f"{row.milliseconds[stage]:.2f}" if row.milliseconds.get(stage) else "" for stage in stages]
        sizes = [output.count(number) if number else "" for number in (row.code_bytes, row.parameters)]
        if any((*cells, *sizes)):
            made.add_row(row.name, *cells, f"{row.step:.2f}", f"{100 * row.step / whole:.1f} %", *sizes)
    totals = [f"{found.total(stage):.2f}" for stage in stages]
    made.add_row("all", *totals, f"{whole:.2f}", "", "", "", style="bold")
    output.print_table(made)
    run = found.run
    speed = 1000 * run["tokens"] / run["step_ms"]
    phases = ", ".join(run["phases"]) or "none"
    click.echo(f"{run['device']}, PyTorch {run['torch']}; phases: {phases}; {run['tokens']:,} tokens a step")
    click.echo(
        f"step {run['step_ms']:.1f} ms ({speed:,.0f} tokens/s), the first {run['first_step_ms']:.0f} ms, "
        f"under the profiler {run['profiled_step_ms']:.1f} ms"
    )
    if "peak_gib" in run:
        click.echo(f"peak memory, not compiled: {run['peak_gib']:.1f} GiB")
