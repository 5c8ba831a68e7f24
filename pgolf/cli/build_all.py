"""`pgolf build --all`: every recipe of a folder, side by side in processes, and a table of their bytes."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import click

from pgolf.cli import output
from pgolf.errors import PgolfError


@dataclass(frozen=True)
class Entry:
    """What became of one recipe: bytes, packing, SHA-256 and number of plugins chosen, or an error."""

    recipe: str
    code_bytes: int = 0
    pack: str = ""
    sha256: str = ""
    plugins: int = 0
    error: str = ""


def build_all(root: Path, pack: str, plugin_dirs: tuple[Path, ...], as_json: bool) -> None:
    """Build every folder of `root` that has a recipe, into itself; ends with 1 where one cannot be built.

    Raises:
        PgolfError: PG001 where there is no recipe.
    """
    folders = sorted(path.parent for path in root.glob("*/recipe.toml"))
    if not folders:
        raise PgolfError("PG001", f"{root} has no folder with a recipe.toml", str(root), "give the folder of recipes")
    workers = min(len(folders), os.cpu_count() or 1)
    # Spawned: a copy of this process could hold locks of threads that it does not have.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        entries = list(pool.map(partial(build_one, pack=pack, plugin_dirs=plugin_dirs), folders))
    if as_json:
        output.print_json({"recipes": [asdict(entry) for entry in entries]})
    else:
        show(entries)
    if any(entry.error for entry in entries):
        raise SystemExit(1)


def build_one(folder: Path, pack: str, plugin_dirs: tuple[Path, ...]) -> Entry:
    """Build one recipe into its folder."""
    from pgolf.manager import load_registry
    from pgolf.recipe import load_recipe
    from pgolf.submission import check_target, make, write_submission

    try:
        recipe = load_recipe(folder)
        check_target(folder, recipe)
        made = make(recipe, load_registry(plugin_dirs), pack)
        lock = write_submission(made, folder)
    except PgolfError as error:
        return Entry(folder.name, error=str(error))
    return Entry(folder.name, lock.code_bytes, made.built.pack, lock.code_sha256, len(made.resolved.selection.chosen))


def show(entries: list[Entry]) -> None:
    """The table, smallest first, and each error."""
    sizes = output.table("recipe", "bytes", "pack", "plugins", right=("bytes", "plugins"))
    for entry in sorted(entries, key=lambda entry: (entry.code_bytes, entry.recipe)):
        if not entry.error:
            sizes.add_row(entry.recipe, output.count(entry.code_bytes), entry.pack, str(entry.plugins))
    output.print_table(sizes)
    for entry in entries:
        if entry.error:
            click.echo(f"{entry.recipe}: {entry.error}", err=True)
