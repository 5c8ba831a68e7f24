"""`pgolf plan`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgolf.cli import options, output
from pgolf.cli.build import gather_recipe

if TYPE_CHECKING:
    from pgolf.plan.trace import Plan


@click.command()
@click.argument("recipe", required=False, metavar="[RECIPE]", type=click.Path(path_type=Path))
@options.plugins
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting. May be repeated.")
@click.option("--svg", "page", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write a drawing.")
@options.plugin_dirs
@options.as_json
def plan(
    recipe: Path | None,
    plugins: tuple[str, ...],
    assignments: tuple[str, ...],
    page: Path | None,
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Show the layers in the order in which they run, for every set of phases.

    Each step says which physical layer runs, for which time, what skip joins before it, on how many lanes, and how many
    elements of tensors it reads. The model runs once for each set of phases, on a few tokens.

    \b
    Examples:
      pgolf plan submissions/pr1512
      pgolf plan --plugins layer_loop,two_lanes --set num_layers=11 --svg plan.svg
    """
    from pgolf.files import write_atomically
    from pgolf.manager import load_registry
    from pgolf.plan.drawing import draw
    from pgolf.plan.trace import trace_plan
    from pgolf.resolve import resolve

    found = gather_recipe(recipe, plugins, assignments, "")
    resolved = resolve(found, load_registry(plugin_dirs))
    for line in resolved.selection.warnings:
        output.warn(line)
    traced = trace_plan(found.name, resolved)
    if page is not None:
        write_atomically(page, draw(traced).encode())
        output.note(f"wrote {page}")
    if as_json:
        output.print_json(asdict(traced))
    else:
        show(traced)


def show(plan: Plan) -> None:
    """Every variant as a table."""
    from pgolf.plan import listing

    for variant in plan.variants:
        click.echo(f"{listing.heading(variant)}\n{listing.order(variant)}")
        made = output.table(*listing.HEADINGS, right=("step", "layer", "time", "skip from", "elements"))
        for step in variant.steps:
            made.add_row(*listing.cells(step, plan))
        output.print_table(made)
        for line in listing.remarks(variant):
            click.echo(line)
        click.echo()
    click.echo(listing.ending(plan))
