"""From what `pgolf train` is given to what runs: a built folder, its smoke variant, or the live entry module."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pgolf.errors import PgolfError
from pgolf.files import write_atomically
from pgolf.lock import LOCK_NAME, Lock, file_hash, read_lock
from pgolf.manager import Registry
from pgolf.needs import collect_needs
from pgolf.recipe import Recipe, load_recipe
from pgolf.resolve import resolve
from pgolf.run.launch import Target
from pgolf.submission import (
    CODE_NAME,
    RECIPE_NAME,
    check_target,
    default_folder,
    make,
    smoke_recipe,
    write_submission,
)

LIVE_NAME = "train_live.py"


def open_target(
    path: Path,
    registry: Callable[[], Registry],
    plugin_dirs: tuple[Path, ...],
    live: bool,
    smoke: bool,
    checkpoints: bool = False,
) -> Target:
    """What to run for `pgolf train PATH`.

    Args:
        path: a built folder, a folder with a recipe.toml, or a recipe file.
        registry: gives the plugins; called only where something is built.
        plugin_dirs: folders a live run imports plugins from.
        live: run the entry module instead of the built file.
        smoke: run the smoke variant.
        checkpoints: let the live run keep its state, see `pgolf.run.checkpoints`.

    Raises:
        PgolfError: PG001 or PG505 when there is nothing to run, or from building it.
    """
    folder, recipe = _folder_of(path)
    lock = read_lock(folder) if (folder / CODE_NAME).exists() and recipe is None else None
    if smoke and not (lock and lock.smoke):
        recipe = smoke_recipe(recipe or _recipe_of(folder, lock), registry())
        folder, lock = folder / "smoke", None
    if live:
        small = smoke or bool(lock and lock.smoke)
        return _live(folder, recipe or _recipe_of(folder, lock), registry(), plugin_dirs, small, checkpoints)
    if lock is None:
        recipe = recipe or _recipe_of(folder, lock)
        lock = _build(folder, recipe, registry(), smoke)
    _check_file(folder, lock)
    return built_target(folder, lock)


def built_target(folder: Path, lock: Lock) -> Target:
    """The built file of a folder."""
    plugins = tuple(lock.plugins)
    return Target(
        folder, folder / CODE_NAME, lock.settings, lock.needs, lock.smoke, plugins=plugins, side_files=lock.side_files
    )


def _folder_of(path: Path) -> tuple[Path, Recipe | None]:
    """The submission folder, and the recipe where a file was given."""
    if path.is_dir():
        if not (path / CODE_NAME).exists() and not (path / RECIPE_NAME).exists():
            text = f"neither {CODE_NAME} nor {RECIPE_NAME} is there"
            raise PgolfError("PG001", text, str(path), "make it with `pgolf build -o FOLDER`")
        return path, None
    recipe = load_recipe(path)
    return default_folder(recipe.name), recipe


def _recipe_of(folder: Path, lock: Lock | None) -> Recipe:
    return lock.to_recipe() if lock else load_recipe(folder)


def _build(folder: Path, recipe: Recipe, registry: Registry, smoke: bool) -> Lock:
    """Build into the folder, unless it holds exactly that."""
    made = make(recipe, registry, smoke=smoke)
    if (folder / LOCK_NAME).exists() and (folder / CODE_NAME).exists():
        lock = read_lock(folder)
        if file_hash(folder / CODE_NAME) == lock.code_sha256 == made.built.sha256:
            return lock
    check_target(folder, recipe)
    return write_submission(made, folder)


def _live(
    folder: Path, recipe: Recipe, registry: Registry, plugin_dirs: tuple[Path, ...], smoke: bool, checkpoints: bool
) -> Target:
    """The entry module in a work folder of its own, so that its logs are not taken for the built file's."""
    resolved = resolve(recipe, registry)
    selection = resolved.selection
    needs = collect_needs(loaded.plugin for loaded in selection.plugins.values())
    root = folder / "artifacts" / "live"
    entry = resolved.entry
    if checkpoints:
        # What is built of it is all that a step depends on, sources of plugins and engine included.
        entry = with_checkpoints(entry, make(recipe, registry, smoke=smoke).built.sha256)
    write_atomically(root / LIVE_NAME, entry.encode())
    python_path = tuple(path.resolve() for path in plugin_dirs)
    return Target(
        root,
        root / LIVE_NAME,
        selection.settings.as_dict(),
        needs,
        smoke,
        python_path,
        tuple(selection.plugins),
        side_files="pgolf.runtime.side_files" in resolved.entry,
    )


def with_checkpoints(entry: str, identity: str) -> str:
    """An entry module whose program keeps its state; `identity` says of which program it is."""
    call = "    train(SETTINGS, make_program(), "
    assert entry.count(call) == 1
    component = f"    program = make_program()._replace(checkpoints=Checkpoints({identity!r}))\n"
    docstring, _, rest = entry.partition("\n\n")
    rest = rest.replace(call, component + "    train(SETTINGS, program, ")
    return f"{docstring}\n\nfrom pgolf.run.checkpoints import Checkpoints\n{rest}"


def _check_file(folder: Path, lock: Lock) -> None:
    """Running a file that the lock does not describe spends money on a result that verify refuses."""
    if file_hash(folder / CODE_NAME) != lock.code_sha256:
        text = f"{CODE_NAME} is not the file that {LOCK_NAME} describes"
        raise PgolfError("PG505", text, str(folder), f"build it again: pgolf build {folder}")
