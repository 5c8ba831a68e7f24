"""`pgolf size`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pgolf.cli import options, output
from pgolf.cli.build import PACKS, gather_recipe

if TYPE_CHECKING:
    from pgolf.manager import Registry
    from pgolf.recipe import Recipe


@dataclass(frozen=True)
class Sizes:
    """One program's bytes.

    Attributes:
        total: bytes of the file.
        modules: module -> bytes it adds; empty where only the file is known.
        owners: module -> plugin, "runtime" for the engine and the entry.
    """

    name: str
    total: int
    pack: str = ""
    modules: Mapping[str, int] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    plugins: Mapping[str, int] = field(default_factory=dict)
    stages: Mapping[str, int] = field(default_factory=dict)


@click.command()
@click.argument("recipe", required=False, metavar="[RECIPE]", type=click.Path(path_type=Path))
@options.plugins
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting. May be repeated.")
@click.option("--compare", "other", metavar="OTHER", type=options.EXISTING, help="A recipe, a folder or a file.")
@click.option(
    "--html", "page", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write a treemap."
)
@click.option("--pack", type=click.Choice(PACKS), default="auto", show_default=True, help="How the file is written.")
@options.plugin_dirs
@options.as_json
def size(
    recipe: Path | None,
    plugins: tuple[str, ...],
    assignments: tuple[str, ...],
    other: Path | None,
    page: Path | None,
    pack: str,
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Say where the bytes of a build go, without writing it.

    Each number is what the compressed program would lose without the plugin or module. Modules share phrases, so the
    numbers do not add up to the whole.

    \b
    Examples:
      pgolf size submissions/pr1512
      pgolf size --plugins swa,pko --compare submissions/baseline
      pgolf size submissions/pr1512 --html sizes.html
    """
    from pgolf.manager import load_registry

    registry = load_registry(plugin_dirs)
    found = measure(gather_recipe(recipe, plugins, assignments, ""), registry, pack)
    before = measure_other(other, registry, pack) if other is not None else None
    if page is not None:
        write_page(page, found, before)
        output.note(f"wrote {page}")
    if as_json:
        output.print_json(as_record(found, before))
    else:
        _show(found, before)


def measure(recipe: Recipe, registry: Registry, pack: str, smoke: bool = False) -> Sizes:
    """Build in memory and weigh."""
    from pgolf.submission import make

    made = make(recipe, registry, pack, smoke)
    for line in made.resolved.selection.warnings:
        output.warn(line)
    modules = dict(sorted(made.built.modules.items()))
    owners = {module: made.resolved.plugin_of(module) for module in modules}
    total = len(made.built.code)
    return Sizes(recipe.name, total, made.built.pack, modules, owners, made.plugin_bytes(), made.built.stages)


def measure_other(path: Path, registry: Registry, pack: str) -> Sizes:
    """What `--compare` names: a recipe, a built folder, or any file, of which only the length is known.

    Raises:
        PgolfError: PG001 when it cannot be read, or from building it.
    """
    from pgolf.errors import PgolfError
    from pgolf.lock import LOCK_NAME, read_lock
    from pgolf.recipe import load_recipe
    from pgolf.submission import CODE_NAME

    if path.suffix == ".toml":
        return measure(load_recipe(path), registry, pack)
    if path.is_file():
        return Sizes(str(path), path.stat().st_size)
    code = path / CODE_NAME
    has_recipe = (path / "recipe.toml").is_file()
    if not (path / LOCK_NAME).is_file() or (has_recipe and not code.is_file()):
        if not has_recipe and code.is_file():
            return Sizes(str(path), code.stat().st_size)
        return measure(load_recipe(path), registry, pack)
    lock = read_lock(path)
    if not code.is_file():
        raise PgolfError("PG001", f"there is a lock but no {CODE_NAME}", str(path), f"pgolf build {path}")
    made = measure(lock.to_recipe(), registry, lock.pack.get("choice", "auto"), lock.smoke)
    size = code.stat().st_size
    if size != made.total:
        output.warn(
            f"{code} has {size:,} bytes, built with the plugins here {made.total:,}; the table is of the latter"
        )
    return made


def as_record(found: Sizes, before: Sizes | None) -> dict[str, Any]:
    """For `--json`."""
    record: dict[str, Any] = {
        "name": found.name,
        "code_bytes": found.total,
        "pack": found.pack,
        "stages": dict(found.stages),
        "plugins": dict(found.plugins),
        "modules": dict(found.modules),
    }
    if before is not None:
        record["compare"] = {
            "name": before.name,
            "code_bytes": before.total,
            "plugins": dict(before.plugins),
            "modules": dict(before.modules),
            "difference": {
                "code_bytes": found.total - before.total,
                "plugins": differences(found.plugins, before.plugins),
                "modules": differences(found.modules, before.modules),
            },
        }
    return record


def differences(found: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    """name -> bytes more than before; empty where the other side is only a file."""
    if not before:
        return {}
    return {name: found.get(name, 0) - before.get(name, 0) for name in sorted({*found, *before})}


def write_page(path: Path, found: Sizes, before: Sizes | None) -> None:
    """The page of `--html`.

    Raises:
        PgolfError: PG001.
    """
    from pgolf.byte_report import Item, page

    changes = differences(found.modules, before.modules) if before else {}
    owners = {**(before.owners if before else {}), **found.owners}
    names = sorted({*found.modules, *changes})
    items = [Item(owners[name], name, found.modules.get(name, 0), changes.get(name)) for name in names]
    facts = [("file", f"{found.total:,} bytes, {found.pack}")]
    facts += [(stage, f"{size:,} bytes") for stage, size in found.stages.items()]
    if before:
        facts.append((f"compared with {before.name}", f"{found.total - before.total:+,} bytes"))
    output.write_page(path, page(f"Bytes of {found.name}", facts, items).encode())


def _show(found: Sizes, before: Sizes | None) -> None:
    tables = (
        ("plugin", found.plugins, before and before.plugins),
        ("module", found.modules, before and before.modules),
    )
    for kind, sizes, earlier in tables:
        columns = (kind, "bytes", *(("before", "change") if earlier else ()))
        made = output.table(*columns, right=columns[1:], title=f"compressed bytes by {kind} (estimate)")
        everything = {**dict.fromkeys(earlier or (), 0), **sizes}
        for name, size in sorted(everything.items(), key=lambda item: (-item[1], item[0])):
            was = earlier.get(name, 0) if earlier else 0
            made.add_row(name, output.count(size), *((output.count(was), f"{size - was:+,}") if earlier else ()))
        output.print_table(made)
    click.echo(f"file: {output.count(found.total)} bytes, {found.pack}")
    if before:
        change = found.total - before.total
        click.echo(f"compared with {before.name}: {output.count(before.total)} bytes, change {change:+,}")
