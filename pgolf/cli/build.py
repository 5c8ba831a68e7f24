"""`pgolf build`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pgolf.cli import options, output

if TYPE_CHECKING:
    from pgolf.recipe import Recipe
    from pgolf.submission import Made

PACKS = ("auto", "b85", "latin1", "mix", "plain")


@click.command()
@click.argument("recipe", required=False, metavar="[RECIPE]", type=click.Path(path_type=Path))
@options.plugins
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting. May be repeated.")
@click.option("-o", "--output", "folder", type=options.FOLDER, help="Folder to write.  [default: submissions/NAME]")
@click.option("--name", default="", help="Name of the submission.  [default: the recipe's, or the plugins]")
@click.option("--pack", type=click.Choice(PACKS), default="auto", show_default=True, help="How the file is written.")
@click.option("--keep-stages", is_flag=True, help="Also write what each stage made to FOLDER/stages.")
@click.option(
    "--stop-after", type=click.IntRange(0), metavar="N", help="Run the first N passes of the optimiser alone."
)
@click.option("--smoke", is_flag=True, help="Small sizes that train in seconds on a CPU with the embedded sample.")
@click.option("--all", "everything", is_flag=True, help="Build every recipe below RECIPE, side by side.")
@click.option("--watch", "watching", is_flag=True, help="Build again after every change, until Ctrl-C.")
@options.plugin_dirs
@options.as_json
def build(
    recipe: Path | None,
    plugins: tuple[str, ...],
    assignments: tuple[str, ...],
    folder: Path | None,
    name: str,
    pack: str,
    keep_stages: bool,
    stop_after: int | None,
    smoke: bool,
    everything: bool,
    watching: bool,
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Assemble plugins into one train_gpt.py.

    RECIPE is a recipe.toml or a folder that holds one; without it, and without --plugins, the public baseline is built.
    FOLDER gets train_gpt.py, recipe.toml and pgolf.lock.

    \b
    Examples:
      pgolf build --plugins swa,bank_qat,pko --set num_layers=11
      pgolf build --smoke --plugins swa -o submissions/quick
      pgolf build submissions/pr1512 --watch
      pgolf build --all submissions
    """
    if stop_after is not None:
        _check_stop(stop_after, watching)
    if everything:
        if plugins or assignments or folder or name or keep_stages or smoke or watching or stop_after is not None:
            raise click.UsageError("--all builds recipes as they are: only --pack, --plugin-dir and --json go with it")
        from pgolf.cli.build_all import build_all

        build_all(recipe or Path("submissions"), pack, plugin_dirs, as_json)
        return
    if watching:
        from pgolf.cli.watch import Order, watch

        watch(Order(recipe, plugins, assignments, folder, name, pack, keep_stages, smoke, plugin_dirs), as_json)
        return
    from pgolf import stand_ins
    from pgolf.collector import paused_collector

    with paused_collector(), stand_ins.installed() as without_torch:
        from pgolf import submission
        from pgolf.manager import load_registry

        registry = load_registry(plugin_dirs)
        if without_torch and registry.problems:
            stand_ins.start_over()
        chosen = gather_recipe(recipe, plugins, assignments, name)
        if smoke:
            chosen = submission.smoke_recipe(chosen, registry)
        target = folder or submission.default_folder(chosen.name)
        submission.check_target(target, chosen)
        made = submission.make(chosen, registry, pack, smoke, stop_after)
    _remarks(made, target, bool(plugins or assignments))
    lock = submission.write_submission(made, target, keep_stages)
    if as_json:
        output.print_json(
            {
                "folder": str(target),
                "code_bytes": lock.code_bytes,
                "sha256": lock.code_sha256,
                "stages": made.built.stages,
                "plugins": made.plugin_bytes(),
            }
        )
    else:
        _show(made, target)


def _check_stop(number: int, watching: bool) -> None:
    """Say where the optimiser stops.

    Raises:
        click.UsageError: for more passes than there are, or together with --watch.
    """
    from pgolf.bundle.manager import PLAN

    if watching:
        raise click.UsageError("--stop-after finds the pass that breaks a program; leave --watch out")
    if number > len(PLAN):
        raise click.UsageError(f"--stop-after is {number}, wanted at most {len(PLAN)}, the number of passes")
    last = PLAN[number - 1].name if number else "none"
    output.note(f"note: the last of {number} passes is {last}; this file is for finding faults, not for submitting")


def gather_recipe(path: Path | None, plugins: tuple[str, ...], assignments: tuple[str, ...], name: str) -> Recipe:
    """The recipe of the command line: a file, a layer of plugins on top, and settings."""
    from pgolf.recipe import Recipe, load_recipe, parse_assignments
    from pgolf.submission import default_name

    base = load_recipe(path) if path is not None else Recipe(name=default_name(plugins))
    return base.override(plugins, parse_assignments(assignments), name)


def _remarks(made: Made, folder: Path, overridden: bool) -> None:
    """Notes and warnings of a build."""
    from pgolf.submission import CODE_NAME, RECIPE_NAME, is_input

    selection = made.resolved.selection
    for line in selection.notes:
        output.note(f"note: {line}")
    for line in selection.warnings:
        output.warn(line)
    if is_input(folder / RECIPE_NAME, made.resolved.recipe) and overridden:
        output.warn(f"{folder / RECIPE_NAME} stays as it is; what --plugins and --set changed is in pgolf.lock alone")
    code = folder / CODE_NAME
    if any((folder / "logs").glob("train_seed*.log")) and code.is_file() and code.read_bytes() != made.built.code:
        output.warn(f"the logs in {folder / 'logs'} are of an earlier build; train again before you package")


def _show(made: Made, folder: Path) -> None:
    """The tables for people."""
    from pgolf.challenge import find_challenge

    sizes = made.plugin_bytes()
    by_plugin = output.table("plugin", "bytes", right=("bytes",), title="compressed bytes by plugin (estimate)")
    for name, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        mark = "" if name in made.resolved.selection.chosen or name == "runtime" else " (baseline)"
        by_plugin.add_row(name + mark, output.count(size))
    output.print_table(by_plugin)
    by_stage = output.table("stage", "bytes", right=("bytes",), title="bytes by stage")
    for stage, size in made.built.stages.items():
        by_stage.add_row(stage, output.count(size))
    output.print_table(by_stage)
    cap = find_challenge(made.lock.recipe["challenge"]).artifact_cap
    total: dict[str, Any] = {
        "folder": folder,
        "code": f"{output.count(made.lock.code_bytes)} bytes, {made.built.pack}",
        "left for the model": f"{output.count(cap - made.lock.code_bytes)} of {output.count(cap)} bytes",
        "sha256": made.lock.code_sha256,
    }
    for key, value in total.items():
        click.echo(f"{key}: {value}")
