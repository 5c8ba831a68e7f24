"""A submission folder: what `pgolf build` puts there, how it is made again from its lock, and its smoke variant."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pgolf.bundle.pipeline import Built, build
from pgolf.errors import PgolfError
from pgolf.files import write_atomically, write_errors
from pgolf.lock import LOCK_NAME, Lock, file_hash, plugin_entry, python_version, tool_versions
from pgolf.manager import Registry
from pgolf.needs import collect_needs
from pgolf.recipe import Recipe, dump_recipe
from pgolf.resolve import Resolved, resolve
from pgolf.select import select
from pgolf.settings import SMOKE_SETTINGS

CODE_NAME = "train_gpt.py"
RECIPE_NAME = "recipe.toml"
RECIPE_MARK = "# Written by pgolf build"
SMOKE_SUFFIX = "-smoke"


@dataclass(frozen=True)
class Made:
    """One build in memory."""

    resolved: Resolved
    built: Built
    lock: Lock
    recipe_text: str

    def plugin_bytes(self) -> dict[str, int]:
        """Compressed bytes by plugin, with the engine and the entry under "runtime"."""
        found = dict.fromkeys((*self.resolved.selection.plugins, "runtime"), 0)
        for module, size in self.built.modules.items():
            found[self.resolved.plugin_of(module)] += size
        return found


def make(
    recipe: Recipe, registry: Registry, pack: str = "auto", smoke: bool = False, stop_after: int | None = None
) -> Made:
    """Build a recipe.

    Args:
        recipe: what to build, already shrunk for a smoke build.
        registry: the plugins there are.
        pack: how the file is written.
        smoke: recorded in the lock.
        stop_after: how many passes of specialize to run, to find the one that breaks a program; all if None.

    Raises:
        PgolfError: from selection, resolving or bundling.
    """
    resolved = resolve(recipe, registry)
    selection = resolved.selection
    plugins = [loaded.plugin for loaded in selection.plugins.values()]
    allow_brotli = any((need.kind, need.name) == ("python", "brotli") for need in collect_needs(plugins))
    built = build(resolved.entry, resolved.find_source, pack=pack, allow_brotli=allow_brotli, stop_after=stop_after)
    explicit = {name: selection.settings.as_dict()[name] for name in recipe.settings}
    text = dump_recipe(recipe.name, selection.chosen, selection.remove, explicit, recipe.challenge, recipe.notes)
    lock = Lock(
        recipe=_flat_recipe(recipe, resolved),
        recipe_sha256=hashlib.sha256(text.encode()).hexdigest(),
        smoke=smoke,
        plugins={name: plugin_entry(loaded) for name, loaded in selection.plugins.items()},
        modules=_module_hashes(resolved, built),
        needs=collect_needs(plugins, built.needs),
        tools=tool_versions(built.pack),
        python=python_version(),
        pack={"choice": pack, "name": built.pack},
        stages=built.stages,
        code_bytes=len(built.code),
        code_sha256=built.sha256,
    )
    assert set(select(lock.to_recipe(), registry).plugins) == set(selection.plugins), "the flat recipe selects others"
    return Made(resolved, built, lock, text)


def _flat_recipe(recipe: Recipe, resolved: Resolved) -> dict[str, Any]:
    """The recipe in one layer, with every setting's value: later defaults do not change it."""
    return {
        "name": recipe.name,
        "plugins": list(resolved.selection.chosen),
        "remove": list(resolved.selection.remove),
        "settings": resolved.selection.settings.as_dict(),
        "challenge": recipe.challenge,
        "notes": recipe.notes,
    }


def _module_hashes(resolved: Resolved, built: Built) -> dict[str, str]:
    found = {}
    for module in built.module_names:
        path = resolved.find_source(module)
        if path is not None:
            found[module] = file_hash(path)
    return found


def rebuild(lock: Lock, registry: Registry) -> Built:
    """Make the file of a lock again, with the plugins of this installation.

    Raises:
        PgolfError: when the plugins are missing or cannot be built as the lock says.
    """
    return make(lock.to_recipe(), registry, lock.pack.get("choice", "auto"), lock.smoke).built


def smoke_recipe(recipe: Recipe, registry: Registry) -> Recipe:
    """The same plugins at sizes that train in seconds on a CPU; what is no size, or set on the command line, stays."""
    from pgolf.data.sample import VOCAB_SIZE

    known = select(recipe, registry).settings.as_dict()
    sizes = {**SMOKE_SETTINGS, "vocab_size": VOCAB_SIZE}
    small = {name: value for name, value in sizes.items() if name in known and name not in recipe.fixed}
    name = recipe.name if recipe.name.endswith(SMOKE_SUFFIX) else recipe.name + SMOKE_SUFFIX
    return replace(recipe, name=name, settings={**recipe.settings, **small})


def default_folder(name: str) -> Path:
    """`submissions/NAME`; PG004 for a name that is no plain folder name."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,119}", name):
        raise PgolfError("PG004", f"the name {name!r} is no folder name", hint="give --name or -o FOLDER")
    return Path("submissions") / name


def check_target(folder: Path, recipe: Recipe) -> None:
    """Refuse to overwrite what pgolf did not write.

    Raises:
        PgolfError: PG004.
    """
    if folder.exists() and not folder.is_dir():
        raise PgolfError("PG004", f"{folder} is a file, wanted a folder", "-o", "give another folder")
    if (folder / CODE_NAME).exists() and not (folder / LOCK_NAME).exists():
        hint = "give another folder with -o, or move the file away"
        raise PgolfError("PG004", f"{folder / CODE_NAME} was not built by pgolf and would be lost", str(folder), hint)
    path = folder / RECIPE_NAME
    if path.exists() and not is_input(path, recipe) and not _is_ours(path):
        hint = f"build that recipe with `pgolf build {folder}`, or give another folder with -o"
        raise PgolfError("PG004", f"{path} was written by hand and would be lost", str(folder), hint)


def is_input(path: Path, recipe: Recipe) -> bool:
    """Is this the file that the recipe was read from?"""
    return recipe.path is not None and recipe.path == path.resolve()


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(RECIPE_MARK)) == RECIPE_MARK.encode()


def write_submission(made: Made, folder: Path, keep_stages: bool = False) -> Lock:
    """Write the build; the lock comes first and the file last: a folder whose lock fits its file is complete.

    One without is taken for an unfinished build, which the same command ends, and never for another's file. A recipe.toml
    that the build was read from stays as it is.

    Raises:
        PgolfError: PG001 when the folder cannot be written, PG004 when something would be lost.
    """
    check_target(folder, made.resolved.recipe)
    recipe_path, lock = folder / RECIPE_NAME, made.lock
    is_kept = is_input(recipe_path, made.resolved.recipe)
    with write_errors(folder):
        if is_kept:
            lock = replace(lock, recipe_sha256=file_hash(recipe_path))
        write_atomically(folder / LOCK_NAME, lock.dump().encode())
        if not is_kept:
            write_atomically(recipe_path, made.recipe_text.encode())
        if keep_stages:
            for name, content in made.built.dumps.items():
                write_atomically(folder / "stages" / name, content)
        write_atomically(folder / CODE_NAME, made.built.code)
    return lock


def default_name(plugins: Sequence[str]) -> str:
    """A name for a build from the command line."""
    return "-".join(plugins) or "baseline"
