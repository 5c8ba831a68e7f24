"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

FOLDER = click.Path(file_okay=False, path_type=Path)
EXISTING_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
EXISTING = click.Path(exists=True, path_type=Path)


def plugin_dirs(command: Command) -> Command:
    """`--plugin-dir`, for commands that need plugins."""
    return click.option(
        "--plugin-dir",
        "plugin_dirs",
        type=EXISTING_FOLDER,
        multiple=True,
        metavar="PATH",
        help="Also take plugins from the .py files of this folder. May be repeated.",
    )(command)


def as_json(command: Command) -> Command:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def split_names(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """`a,b` and `c` as the names a, b, c, without empty ones: an option given twice adds to its list."""
    return tuple(name.strip() for part in value for name in part.split(",") if name.strip())


def plugins(command: Command) -> Command:
    """`--plugins`, for commands that take a recipe."""
    return click.option(
        "--plugins",
        multiple=True,
        callback=split_names,
        metavar="A,B,C",
        help="Plugins on top of the recipe. May be repeated.",
    )(command)


def split_seeds(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[int, ...]:
    """`1337,42` as whole numbers, each once."""
    names = split_names(ctx, param, value)
    try:
        seeds = tuple(dict.fromkeys(int(name) for name in names))
    except ValueError:
        raise click.BadParameter(f"{','.join(value)!r} is not a list of whole numbers such as 1337,42,2025") from None
    if any(not 0 <= seed < 2**63 for seed in seeds):
        raise click.BadParameter("a seed is from 0 to 2**63 - 1")
    return seeds
