"""`pgolf prove`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgolf.cli import options, output
from pgolf.cli.build import gather_recipe

if TYPE_CHECKING:
    from pgolf.manager import Registry
    from pgolf.prove.climb import Plan, Proof
    from pgolf.prove.ladder import Difference
    from pgolf.recipe import Recipe
    from pgolf.run.data import DataPaths


def split_rungs(ctx: click.Context, param: click.Parameter, value: str) -> frozenset[int]:
    """`0-7` or `1,3,5` as numbers."""
    found: set[int] = set()
    for part in value.split(","):
        low, dash, high = part.strip().partition("-")
        if not (low.isdigit() and (high.isdigit() or not dash)) or int(high or low) > 7 or int(low) > int(high or low):
            raise click.BadParameter(f"{value!r} is not a list of rungs such as 0-7 or 1,3,5")
        found.update(range(int(low), int(high or low) + 1))
    return frozenset(found)


@click.command()
@click.argument("path", required=False, metavar="[RECIPE|FOLDER]", type=click.Path(path_type=Path))
@options.plugins
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting. May be repeated.")
@click.option("--steps", type=click.IntRange(1), default=6, show_default=True, help="Training steps of each run.")
@click.option("--rungs", callback=split_rungs, default="0-7", show_default=True, metavar="LIST", help="Rungs to climb.")
@click.option("--data", type=options.EXISTING_FOLDER, help="Folder of shards.  [default: the embedded sample]")
@options.plugin_dirs
@options.as_json
def prove(
    path: Path | None,
    plugins: tuple[str, ...],
    assignments: tuple[str, ...],
    steps: int,
    rungs: frozenset[int],
    data: Path | None,
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Prove that a build is the program that its plugins make when they run live.

    The entry module and what every stage makes of it (linked, specialized, shaken, minified, packed) run at smoke size on
    the CPU, each in a process of its own, and are compared bit for bit. Rungs: 0 bytes of two builds, 1 syntax, 2 names,
    3 initial state, 4 graph, 5 steps, 6 artifact, 7 score. A built folder is proved by its lock.
    Exit status: 0 equal, 1 a difference, 2 unusable input.

    \b
    Examples:
      pgolf prove --plugins swa,bank_qat,pko
      pgolf prove submissions/pr1512 --rungs 0-4
      pgolf prove my_recipe.toml --steps 20 --json
    """
    from pgolf.manager import load_registry
    from pgolf.prove.climb import RUNNING, Plan

    registry = load_registry(plugin_dirs)
    recipe = open_recipe(path, plugins, assignments)
    small = shrink(recipe, registry, data)
    paths = find(data, small, registry) if rungs & RUNNING else None
    plan = Plan(steps, rungs, paths, plugin_dirs, output.note)
    proof = run(small, registry, plan, path)
    if as_json:
        output.print_json(proof.as_record())
    else:
        _show(proof)
    if proof.differences:
        raise SystemExit(1)


def open_recipe(path: Path | None, plugins: tuple[str, ...], assignments: tuple[str, ...]) -> Recipe:
    """The recipe of the command line; a built folder's is that of its lock."""
    from pgolf.lock import LOCK_NAME, read_lock
    from pgolf.recipe import parse_assignments
    from pgolf.submission import CODE_NAME

    if path is not None and (path / LOCK_NAME).is_file() and (path / CODE_NAME).is_file():
        return read_lock(path).to_recipe().override(plugins, parse_assignments(assignments))
    return gather_recipe(path, plugins, assignments, "")


def shrink(recipe: Recipe, registry: Registry, data: Path | None) -> Recipe:
    """The recipe at smoke size; with data of one's own, with its own vocabulary."""
    from dataclasses import replace

    from pgolf.prove.sizes import proof_recipe
    from pgolf.select import select
    from pgolf.submission import smoke_recipe

    small = proof_recipe(smoke_recipe(recipe, registry))
    if data is None:
        return small
    vocabulary = select(recipe, registry).settings.vocab_size
    return replace(small, settings={**small.settings, "vocab_size": vocabulary})


def find(data: Path | None, recipe: Recipe, registry: Registry) -> DataPaths:
    """Shards and tokenizer, checked."""
    from pgolf.run.data import check_data, find_data
    from pgolf.select import select
    from pgolf.transforms import transform_of

    selection = select(recipe, registry)
    transform = transform_of(selection.plugins, selection.settings.as_dict(), registry)
    side_files = transform is not None
    paths = find_data(data, None, recipe.settings, data is None, side_files, transform)
    check_data(paths, side_files=side_files)
    return paths


def run(recipe: Recipe, registry: Registry, plan: Plan, folder: Path | None) -> Proof:
    """Build, then climb."""
    from pgolf.prove.climb import build_twice, climb
    from pgolf.submission import make

    output.note(f"building {recipe.name}")
    made = make(recipe, registry, smoke=True)
    first = build_twice(made.lock, plan, made.built.sha256) if 0 in plan.rungs else []
    if 0 in plan.rungs and folder is not None:
        first += check_folder(folder, plan)
    proof = climb(made.built.dumps, plan)
    proof.differences[:0] = first
    return proof


def check_folder(folder: Path, plan: Plan) -> list[Difference]:
    """Rung 0 for a built folder: its own file is what its lock makes."""
    from pgolf.lock import LOCK_NAME, file_hash, read_lock
    from pgolf.prove.climb import build_twice
    from pgolf.submission import CODE_NAME

    if not (folder / LOCK_NAME).is_file() or not (folder / CODE_NAME).is_file():
        return []
    return build_twice(read_lock(folder), plan, file_hash(folder / CODE_NAME))


def _show(proof: Proof) -> None:
    from pgolf.prove.ladder import RUNGS

    for rung in proof.rungs:
        click.echo(f"{'equal    ' if proof.holds(rung) else 'DIFFERENT'}  rung {rung}  {RUNGS[rung]}")
    for note in proof.notes:
        output.note(f"note: {note}")
    first = proof.first
    if first is not None:
        click.echo(f"first difference: {first}")
        click.echo(f"different: {len({item.stage for item in proof.differences})} of {len(proof.stages)} stages")
        return
    if proof.facts:
        seen = proof.facts
        click.echo(
            f"{seen['tensors']} tensors, {seen['graphs']} graphs, {seen['steps']} steps with {seen['backward_passes']} "
            f"backward passes"
            + (f", artifact of {output.count(seen['artifact_bytes'])} bytes" if seen["artifact_bytes"] else "")
        )
    click.echo(f"equal: {len(proof.stages)} stages")
