"""`pgolf diff`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pgolf.cli import options, output

if TYPE_CHECKING:
    from pgolf.compare.differences import Differences, Results


@click.command()
@click.argument("a", metavar="A", type=click.Path(path_type=Path))
@click.argument("b", metavar="B", type=click.Path(path_type=Path))
@click.option(
    "--no-bytes", is_flag=True, help="Do not build to find the bytes of each plugin; a recipe is built once still."
)
@click.option("--exit-code", is_flag=True, help="Status 1 where the programs differ, as git diff has it.")
@options.plugin_dirs
@options.as_json
def diff(a: Path, b: Path, no_bytes: bool, exit_code: bool, plugin_dirs: tuple[Path, ...], as_json: bool) -> None:
    """Compare two recipes, folders, locks or logs: plugins, settings, bytes by plugin, curves, results.

    A side is a recipe.toml, a folder with a recipe or a lock and perhaps logs/, a pgolf.lock, a log of any known script, or a
    folder of logs. The difference of results has a two-sided p: paired over the seeds that both have, else Welch's. What a
    side does not say is listed as unknown. Bytes of plugins are those of builds here, and unknown where a lock is of other
    plugins.

    \b
    Examples:
      pgolf diff submissions/pr1493 submissions/pr1512
      pgolf diff runs/with/logs runs/without/logs --json
    """
    from functools import cache

    from pgolf.compare.differences import compare
    from pgolf.compare.sides import read_side
    from pgolf.manager import load_registry

    registry = cache(lambda: load_registry(plugin_dirs))
    sides = [read_side(path, registry, not no_bytes) for path in (a, b)]
    found = compare(*sides)
    if as_json:
        output.print_json({"a": str(a), "b": str(b), **found.as_record()})
    else:
        _show(found, str(a), str(b))
    if exit_code and not found.same_program:
        raise SystemExit(1)


def _show(found: Differences, a: str, b: str) -> None:
    """Only what differs, and what is not known."""
    click.echo(f"A: {a}\nB: {b}")
    for mark, names in (("+", found.plugins_added), ("-", found.plugins_removed)):
        for name in names:
            click.echo(f"{mark} {name}")
    for name, (one, other) in found.plugins_changed.items():
        click.echo(f"~ {name}: {one} -> {other}")
    _table("setting", ("A", "B"), {name: tuple(map(_value, pair)) for name, pair in found.settings.items()})
    if found.code_bytes is not None:
        click.echo(
            f"file: {found.code_bytes[0]:,} -> {found.code_bytes[1]:,} bytes, {found.code_bytes[1] - found.code_bytes[0]:+,}"
        )
    rows = {
        name: (f"{one:,}", f"{other:,}", f"{other - one:+,}")
        for name, (one, other) in found.plugin_bytes.items()
        if one != other
    }
    _table("plugin", ("bytes A", "bytes B", "change"), rows)
    _table(
        "step",
        ("loss A", "loss B", "change"),
        {str(step): (f"{x:.4f}", f"{y:.4f}", f"{y - x:+.4f}") for step, x, y in found.curves},
    )
    if found.results is not None:
        _show_results(found.results)
    if found.same_program:
        click.echo("the same plugins, settings and bytes")
    for line in found.unknown:
        click.echo(f"unknown: {line}")


def _show_results(results: Results) -> None:
    """Scores by seed, the test, and other figures."""
    one, other = results.scores
    seeds = sorted({*one, *other})
    rows = {
        str(seed) if seed >= 0 else "-": (
            _value(one.get(seed)),
            _value(other.get(seed)),
            _change(one.get(seed), other.get(seed)),
        )
        for seed in seeds
    }
    _table("seed", ("val_bpb A", "val_bpb B", "change"), rows)
    if results.difference is not None:
        p = "" if results.p is None else f", p {results.p:.4f}"
        click.echo(f"val_bpb: {results.difference:+.6f}{p} ({results.test})")
    figures = {name: (_value(x), _value(y), _change(x, y)) for name, (x, y) in results.figures.items()}
    _table("mean of", ("A", "B", "change"), figures)


def _table(first: str, columns: tuple[str, ...], rows: dict[str, Any]) -> None:
    """Nothing where there are no rows."""
    if rows:
        made = output.table(first, *columns, right=columns)
        for name, values in rows.items():
            made.add_row(name, *values)
        output.print_table(made)


def _value(value: Any) -> str:
    """Shortly."""
    if value is None:
        return "-"
    return (
        f"{value:,.6g}"
        if isinstance(value, float) and abs(value) >= 1000
        else f"{value:.8g}"
        if isinstance(value, float)
        else str(value)
    )


def _change(one: Any, other: Any) -> str:
    """Signed, where both are there."""
    return "-" if one is None or other is None else f"{other - one:+.6g}"
