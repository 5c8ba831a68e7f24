"""`pgolf forecast`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgolf.cli import options, output
from pgolf.cli.prove import open_recipe

if TYPE_CHECKING:
    from pgolf.forecast.forecast import Forecast


@click.command()
@click.argument("recipe", required=False, metavar="[RECIPE|FOLDER]", type=click.Path(path_type=Path))
@options.plugins
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting. May be repeated.")
@click.option("--steps", type=click.IntRange(0), help="Training steps.  [default: the recipe's, 5000 under a clock]")
@click.option("--like", type=options.EXISTING, help="Weights whose spread to assume, e.g. of a shorter run.")
@click.option("--smoke", is_flag=True, help="Forecast the smoke variant.")
@options.plugin_dirs
@options.as_json
def forecast(
    recipe: Path | None,
    plugins: tuple[str, ...],
    assignments: tuple[str, ...],
    steps: int | None,
    like: Path | None,
    smoke: bool,
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Say how many bytes file and artifact will have, and whether they fit, before anything is trained.

    The file is built. Numbers like trained weights go through the recipe's own quantizers, layout and coder. Where steps follow
    each row's spread (sdclip, row_max) that is good to about 1 %; exporters with a least step (int6, int8) depend on
    how large weights become, which is only roughly known: give --like. How far it may be off is said. What `fit` would
    change is not counted.
    Exit status: 0 it fits, 1 it does not, 2 unusable input.

    \b
    Examples:
      pgolf forecast submissions/pr1512
      pgolf forecast --plugins sdclip,gptq,brotli --set num_layers=11 --set mlp_mult=4
      pgolf forecast submissions/baseline --like runs/short/artifacts/seed1337
    """
    from pgolf.forecast.forecast import forecast as make_forecast
    from pgolf.forecast.weights import walks_like
    from pgolf.manager import load_registry
    from pgolf.submission import smoke_recipe

    registry = load_registry(plugin_dirs)
    chosen = open_recipe(recipe, plugins, assignments)
    chosen = smoke_recipe(chosen, registry) if smoke else chosen
    like_them = None
    if like is not None:
        from pgolf.requant.checkpoint import read_checkpoint

        like_them = walks_like(read_checkpoint(like).tensors)
    found = make_forecast(chosen, registry, steps, like_them, smoke)
    if as_json:
        output.print_json(found.as_record())
    else:
        _show(found)
    if not found.fits:
        raise SystemExit(1)


def _show(found: Forecast) -> None:
    """Bits by class, then bytes."""
    made = output.table("class", "codes", "bits each", "bytes", right=("codes", "bits each", "bytes"))
    for quant, (count, bits) in sorted(found.size.classes.items()):
        made.add_row(quant, output.count(count), f"{bits:.3f}", output.count(round(count * bits / 8)))
    output.print_table(made)
    left = found.cap - found.total
    verdict = (
        f"fits, {output.count(left)} bytes left" if found.fits else f"does not fit, {output.count(-left)} too many"
    )
    if not found.certain:
        verdict += ": too near to be sure"
    lines = {
        "entropy of the codes": f"{output.count(found.size.entropy)} bytes",
        "everything else, raw": f"{output.count(found.size.raw)} bytes",
        "artifact": f"{output.count(found.size.packed)} bytes, once packed, +- {output.count(found.size.uncertainty)}",
        "code": f"{output.count(found.code)} bytes",
        "together": f"{output.count(found.total)} of {output.count(found.cap)} bytes: {verdict}",
    }
    for key, text in lines.items():
        click.echo(f"{key}: {text}")
